// SPDX-License-Identifier: Apache-2.0
#include "media/jpeg_blocks.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/internal/jpeg_scan.h"
#include "media/plane.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

// jpeglib.h needs FILE and size_t before it.
#include <jpeglib.h>

namespace colophon::media {
namespace {

// libjpeg reports errors by a function that must not return. Ours keeps the message and jumps back
// to the innermost guard(), between which and the library no object with a destructor lives.
struct ErrorTrap {
    jpeg_error_mgr manager;  // first: libjpeg hands this address back
    std::jmp_buf back;
    char message[JMSG_LENGTH_MAX];
    bool limit;
};

[[noreturn]] void trap_error(j_common_ptr info) {
    auto* trap = reinterpret_cast<ErrorTrap*>(info->err);
    info->err->format_message(info, trap->message);
    std::longjmp(trap->back, 1);
}

void ignore_message(j_common_ptr) {}

void set_trap(ErrorTrap& trap) {
    jpeg_std_error(&trap.manager);
    trap.manager.error_exit = trap_error;
    trap.manager.output_message = ignore_message;
    trap.message[0] = '\0';
    trap.limit = false;
}

// Runs `step` and says whether the library came back from it by itself. `step` is a plain function
// over plain pointers, because a jump runs no destructors.
template <class Argument>
bool guard(ErrorTrap& trap, void (*step)(Argument*), Argument* argument) {
    if (setjmp(trap.back) != 0) {
        return false;
    }
    step(argument);
    return true;
}

// A progressive file can repeat scans over a huge picture for a few bytes each.
void count_scans(j_common_ptr info) {
    auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
    if (decoder->input_scan_number > static_cast<int>(limits::kJpegScansMax)) {
        auto* trap = reinterpret_cast<ErrorTrap*>(info->err);
        (void)std::snprintf(trap->message, sizeof trap->message, "more than %u scans",
                            limits::kJpegScansMax);
        trap->limit = true;
        std::longjmp(trap->back, 1);
    }
}

constexpr std::size_t kHeaderBytes = 2048;  // about what the tables take

using Samples = std::array<float, DCTSIZE2>;

// cosines[k][n] = c(k)/2 cos((2n+1) k pi / 16): the rows of the orthonormal DCT of 8 points.
const std::array<std::array<float, DCTSIZE>, DCTSIZE>& cosines() {
    static const auto kTable = [] {
        std::array<std::array<float, DCTSIZE>, DCTSIZE> table{};
        for (std::size_t k = 0; k < DCTSIZE; ++k) {
            for (std::size_t n = 0; n < DCTSIZE; ++n) {
                const double c = k == 0 ? std::sqrt(0.125) : 0.5;
                table[k][n] = static_cast<float>(
                    c * std::cos((2.0 * static_cast<double>(n) + 1.0) * static_cast<double>(k) *
                                 std::numbers::pi / 16.0));
            }
        }
        return table;
    }();
    return kTable;
}

void add_scaled(float* to, const std::array<float, DCTSIZE>& row, float factor) {
    for (std::size_t i = 0; i < DCTSIZE; ++i) {
        to[i] += factor * row[i];
    }
}

void inverse_dct(const Samples& in, Samples& out) {
    const auto& c = cosines();
    Samples half{};
    std::array<bool, DCTSIZE> something{};  // most rows of most blocks are zeros
    for (std::size_t v = 0; v < DCTSIZE; ++v) {
        for (std::size_t u = 0; u < DCTSIZE; ++u) {
            const float coefficient = in[v * DCTSIZE + u];
            if (coefficient != 0) {
                add_scaled(&half[v * DCTSIZE], c[u], coefficient);
                something[v] = true;
            }
        }
    }
    out.fill(0);
    for (std::size_t v = 0; v < DCTSIZE; ++v) {
        if (!something[v]) {
            continue;
        }
        for (std::size_t y = 0; y < DCTSIZE; ++y) {
            for (std::size_t x = 0; x < DCTSIZE; ++x) {
                out[y * DCTSIZE + x] += half[v * DCTSIZE + x] * c[v][y];
            }
        }
    }
}

void forward_dct(const Samples& in, Samples& out) {
    const auto& c = cosines();
    Samples half{};
    for (std::size_t y = 0; y < DCTSIZE; ++y) {
        for (std::size_t u = 0; u < DCTSIZE; ++u) {
            for (std::size_t x = 0; x < DCTSIZE; ++x) {
                half[y * DCTSIZE + u] += in[y * DCTSIZE + x] * c[u][x];
            }
        }
    }
    out.fill(0);
    for (std::size_t y = 0; y < DCTSIZE; ++y) {
        for (std::size_t v = 0; v < DCTSIZE; ++v) {
            for (std::size_t u = 0; u < DCTSIZE; ++u) {
                out[v * DCTSIZE + u] += half[y * DCTSIZE + u] * c[v][y];
            }
        }
    }
}

std::uint8_t to_sample(float value) {
    // As lround() does it, which costs a call.
    const float level = std::clamp(value + 128.0F, 0.0F, 255.0F);
    const int below = static_cast<int>(level);
    return static_cast<std::uint8_t>(below + (level - static_cast<float>(below) >= 0.5F ? 1 : 0));
}

void decode_block(const JCOEF* block, const JQUANT_TBL& table,
                  std::array<std::uint8_t, DCTSIZE2>& out) {
    Samples coefficients{};
    for (std::size_t i = 0; i < DCTSIZE2; ++i) {
        coefficients[i] = static_cast<float>(block[i]) * static_cast<float>(table.quantval[i]);
    }
    Samples samples{};
    inverse_dct(coefficients, samples);
    std::transform(samples.begin(), samples.end(), out.begin(), to_sample);
}

void encode_block(const std::array<std::uint8_t, DCTSIZE2>& in, const JQUANT_TBL& table,
                  JCOEF* block) {
    Samples samples{};
    for (std::size_t i = 0; i < DCTSIZE2; ++i) {
        samples[i] = static_cast<float>(in[i]) - 128.0F;
    }
    Samples coefficients{};
    forward_dct(samples, coefficients);
    for (std::size_t i = 0; i < DCTSIZE2; ++i) {
        const auto step = static_cast<float>(std::max<int>(1, table.quantval[i]));
        // AC coefficients of 8-bit pictures have 10 bits and a sign, DC differences 11.
        block[i] =
            static_cast<JCOEF>(std::clamp(std::lround(coefficients[i] / step), -1023L, 1023L));
    }
}

bool same_table(const JHUFF_TBL* a, const JHUFF_TBL* b) {
    return a != nullptr && b != nullptr && std::memcmp(a->bits, b->bits, sizeof a->bits) == 0 &&
           std::memcmp(a->huffval, b->huffval, sizeof a->huffval) == 0;
}

// The frame header decides what libjpeg could not read; it says so itself only as a number.
std::optional<Error> refuse_frame(Bytes file) {
    std::size_t at = 2;
    while (at + 4 <= file.size() && file[at] == 0xFF) {
        const std::uint8_t marker = file[at + 1];
        if (marker == 0xFF) {
            ++at;
            continue;
        }
        const bool frame =
            marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
        if (!frame) {
            at += std::size_t{2} + load_be16(file.subspan(at + 2));
            continue;
        }
        if (marker == 0xC3 || (marker >= 0xC5 && marker <= 0xC7)) {
            return Error{ErrorCode::kUnsupported,
                         "a lossless or hierarchical JPEG; save it as an ordinary one first"};
        }
        if (marker >= 0xC9) {
            return Error{ErrorCode::kUnsupported,
                         "a JPEG with arithmetic coding; save it with Huffman coding first"};
        }
        if (at + 5 <= file.size() && file[at + 4] != 8) {
            return Error{
                ErrorCode::kUnsupported,
                fmt::format("a JPEG with {} bits a sample; only 8 are handled", file[at + 4])};
        }
        return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

struct JpegBlocks::State {
    ErrorTrap trap{};
    jpeg_decompress_struct decoder{};
    jpeg_progress_mgr progress{};
    // One of the two: what JpegScan understands it reads, everything else libjpeg.
    std::optional<internal::JpegScan> scan;
    jvirt_barray_ptr* arrays = nullptr;
    std::size_t coded_offset = 0;  // behind the header of the first scan
    Bytes file;
    std::vector<JpegComponent> components;
    JpegColours colours = JpegColours::kYcc;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { jpeg_destroy_decompress(&decoder); }

    const jpeg_component_info& info(std::size_t component) const {
        return decoder.comp_info[component];
    }
    const JQUANT_TBL& quantization(std::size_t component) const {
        const jpeg_component_info& facts = info(component);
        return facts.quant_table != nullptr ? *facts.quant_table
                                            : *decoder.quant_tbl_ptrs[facts.quant_tbl_no];
    }
    // The coefficients of the row of blocks `y`, 64 a block. libjpeg's arrays live in memory: with
    // a valid row this cannot fail.
    JCOEF* row(std::size_t component, int y, bool write) {
        if (scan) {
            return scan->row(component, y, write)->data();
        }
        auto* common = reinterpret_cast<j_common_ptr>(&decoder);
        return (*decoder.mem->access_virt_barray)(
            common, arrays[component], static_cast<JDIMENSION>(y), 1, write ? TRUE : FALSE)[0][0];
    }
    Error failure() const {
        return Error{trap.limit ? ErrorCode::kLimit : ErrorCode::kCorrupt,
                     fmt::format("the JPEG cannot be read: {}", trap.message)};
    }
    static void read_header(State* state);
    static void read_arrays(State* state);
    Result<void> check_header();
    std::optional<internal::JpegScan::Layout> scan_layout() const;
};

void JpegBlocks::State::read_header(State* state) {
    jpeg_create_decompress(&state->decoder);
    state->progress.progress_monitor = count_scans;
    state->decoder.progress = &state->progress;
    jpeg_mem_src(&state->decoder, state->file.data(),
                 static_cast<unsigned long>(state->file.size()));
    jpeg_read_header(&state->decoder, TRUE);
}

void JpegBlocks::State::read_arrays(State* state) {
    state->arrays = jpeg_read_coefficients(&state->decoder);
}

Result<void> JpegBlocks::State::check_header() {
    const std::uint64_t pixels =
        static_cast<std::uint64_t>(decoder.image_width) * decoder.image_height;
    if (pixels > limits::kImagePixelsMax || decoder.image_width > limits::kImageSideMax ||
        decoder.image_height > limits::kImageSideMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a picture of {} x {} pixels is above the limit",
                                 decoder.image_width, decoder.image_height)};
    }
    // Each block of 8 x 8 takes at least one bit in its first scan. A header that promises more
    // than the bytes can hold would only make us allocate for nothing.
    constexpr std::uint64_t kBlockPixels = 64;
    if (pixels / kBlockPixels > std::uint64_t{file.size()} * 8) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("a JPEG of {} bytes cannot hold {} x {} pixels", file.size(),
                                 decoder.image_width, decoder.image_height)};
    }
    switch (decoder.jpeg_color_space) {
        case JCS_GRAYSCALE:
            colours = JpegColours::kGrey;
            break;
        case JCS_YCbCr:
            colours = JpegColours::kYcc;
            break;
        case JCS_RGB:
            colours = JpegColours::kRgb;
            break;
        case JCS_YCCK:
            colours = JpegColours::kYcck;
            break;
        case JCS_CMYK:
            colours =
                decoder.saw_Adobe_marker != 0 ? JpegColours::kCmykInverted : JpegColours::kCmyk;
            break;
        default:
            return Error{ErrorCode::kUnsupported,
                         fmt::format("a JPEG with {} components of unknown meaning",
                                     decoder.num_components)};
    }
    return {};
}

namespace {

std::optional<internal::HuffmanCode> code_of(const JHUFF_TBL* table) {
    if (table == nullptr) {
        return std::nullopt;
    }
    internal::HuffmanCode code;
    std::copy_n(table->bits, code.bits.size(), code.bits.begin());
    std::copy_n(table->huffval, code.symbols.size(), code.symbols.begin());
    code.bits[0] = 0;  // counts nothing
    return code;
}

}  // namespace

namespace {

// What stands between SOI and the coded data at `end`, segment after segment, SOS last; nothing
// where libjpeg had to look for a marker.
std::optional<std::vector<Bytes>> header_segments(Bytes file, std::size_t end) {
    std::vector<Bytes> segments;
    std::size_t at = 2;
    while (at < end) {
        if (at + 4 > end || file[at] != 0xFF) {
            return std::nullopt;
        }
        const std::uint8_t marker = file[at + 1];
        if (marker == 0xFF) {
            ++at;  // a fill byte (T.81 B.1.1.2)
            continue;
        }
        const std::size_t size = std::size_t{2} + load_be16(file.subspan(at + 2));
        if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD9) || size > end - at) {
            return std::nullopt;
        }
        segments.push_back(file.subspan(at, size));
        at += size;
    }
    return segments;
}

}  // namespace

// Nothing for a file of more than one scan, with restarts, or with a table missing.
std::optional<internal::JpegScan::Layout> JpegBlocks::State::scan_layout() const {
    if (decoder.progressive_mode != 0 || decoder.arith_code != 0 || decoder.data_precision != 8 ||
        decoder.restart_interval != 0 || decoder.num_components > MAX_COMPS_IN_SCAN ||
        decoder.comps_in_scan != decoder.num_components || !header_segments(file, coded_offset)) {
        return std::nullopt;
    }
    internal::JpegScan::Layout layout;
    const auto mcus = [&](JDIMENSION side, int most) {
        const JDIMENSION mcu = static_cast<JDIMENSION>(most) * DCTSIZE;
        return static_cast<int>((side + mcu - 1) / mcu);
    };
    layout.mcus_across = mcus(decoder.image_width, decoder.max_h_samp_factor);
    layout.mcus_down = mcus(decoder.image_height, decoder.max_v_samp_factor);
    int blocks = 0;
    for (int i = 0; i < decoder.comps_in_scan; ++i) {
        const jpeg_component_info& facts = *decoder.cur_comp_info[i];
        const auto table = [](int number) { return number >= 0 && number < NUM_HUFF_TBLS; };
        if (facts.component_index != i || !table(facts.dc_tbl_no) || !table(facts.ac_tbl_no) ||
            facts.quant_tbl_no < 0 || facts.quant_tbl_no >= NUM_QUANT_TBLS ||
            decoder.quant_tbl_ptrs[facts.quant_tbl_no] == nullptr) {
            return std::nullopt;
        }
        layout.components.push_back({.horizontal = facts.h_samp_factor,
                                     .vertical = facts.v_samp_factor,
                                     .dc_table = facts.dc_tbl_no,
                                     .ac_table = facts.ac_tbl_no});
        blocks += facts.h_samp_factor * facts.v_samp_factor;
    }
    // A single component comes block by block, whatever its factors say (T.81 A.2.2).
    if (decoder.comps_in_scan == 1) {
        if (decoder.max_h_samp_factor != 1 || decoder.max_v_samp_factor != 1) {
            return std::nullopt;
        }
    } else if (blocks > D_MAX_BLOCKS_IN_MCU) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < NUM_HUFF_TBLS; ++i) {
        layout.dc[i] = code_of(decoder.dc_huff_tbl_ptrs[i]);
        layout.ac[i] = code_of(decoder.ac_huff_tbl_ptrs[i]);
    }
    return layout;
}

JpegBlocks::JpegBlocks(std::unique_ptr<State> state) : state_(std::move(state)) {}
JpegBlocks::JpegBlocks(JpegBlocks&&) noexcept = default;
JpegBlocks& JpegBlocks::operator=(JpegBlocks&&) noexcept = default;
JpegBlocks::~JpegBlocks() = default;

Result<JpegBlocks> JpegBlocks::open(Bytes file) {
    if (std::optional<Error> refusal = refuse_frame(file)) {
        return std::move(*refusal);
    }
    TRY(load({Codec::kJpeg}));
    auto state = std::make_unique<State>();
    state->file = file;
    set_trap(state->trap);
    state->decoder.err = &state->trap.manager;
    if (!guard(state->trap, State::read_header, state.get())) {
        return state->failure();
    }
    TRY(state->check_header());
    state->coded_offset = file.size() - state->decoder.src->bytes_in_buffer;
    if (const auto layout = state->scan_layout()) {
        state->scan = internal::JpegScan::open(file.subspan(state->coded_offset), *layout);
    }
    if (!state->scan && !guard(state->trap, State::read_arrays, state.get())) {
        return state->failure();
    }
    for (int i = 0; i < state->decoder.num_components; ++i) {
        const jpeg_component_info& info = state->info(static_cast<std::size_t>(i));
        if (!state->scan && info.quant_table == nullptr) {
            return Error{ErrorCode::kCorrupt, "a component of the JPEG has no quantization table"};
        }
        state->components.push_back({static_cast<int>(info.downsampled_width),
                                     static_cast<int>(info.downsampled_height), info.h_samp_factor,
                                     info.v_samp_factor});
    }
    return JpegBlocks(std::move(state));
}

int JpegBlocks::width() const noexcept {
    return static_cast<int>(state_->decoder.image_width);
}
int JpegBlocks::height() const noexcept {
    return static_cast<int>(state_->decoder.image_height);
}
JpegColours JpegBlocks::colours() const noexcept {
    return state_->colours;
}
const std::vector<JpegComponent>& JpegBlocks::components() const noexcept {
    return state_->components;
}
int JpegBlocks::horizontal_max() const noexcept {
    return state_->decoder.max_h_samp_factor;
}
int JpegBlocks::vertical_max() const noexcept {
    return state_->decoder.max_v_samp_factor;
}

namespace {

// The smallest rectangle of whole blocks around `area`.
Rect block_rect(const Rect& area) {
    const int left = area.x / DCTSIZE;
    const int top = area.y / DCTSIZE;
    return {left, top, (area.right() + DCTSIZE - 1) / DCTSIZE - left,
            (area.bottom() + DCTSIZE - 1) / DCTSIZE - top};
}

// The samples of the block whose first one stands at (left, top).
std::array<std::uint8_t, DCTSIZE2> block_of(const Plane& plane, int left, int top) {
    std::array<std::uint8_t, DCTSIZE2> samples{};
    for (int i = 0; i < DCTSIZE2; ++i) {
        const int row = i / DCTSIZE;
        samples[static_cast<std::size_t>(i)] = plane.at(left + i % DCTSIZE, top + row);
    }
    return samples;
}

}  // namespace

Plane JpegBlocks::read(std::size_t component, const Rect& area) const {
    const JpegComponent& facts = state_->components[component];
    COLOPHON_ASSERT((Rect{0, 0, facts.width, facts.height}.contains(area)));
    const Rect blocks = block_rect(area);
    Plane plane(
        {blocks.x * DCTSIZE, blocks.y * DCTSIZE, blocks.width * DCTSIZE, blocks.height * DCTSIZE});
    std::array<std::uint8_t, DCTSIZE2> samples{};
    for (int by = blocks.y; by < blocks.bottom(); ++by) {
        const JCOEF* row = state_->row(component, by, false);
        for (int bx = blocks.x; bx < blocks.right(); ++bx) {
            decode_block(row + std::ptrdiff_t{DCTSIZE2} * bx, state_->quantization(component),
                         samples);
            for (int y = 0; y < DCTSIZE; ++y) {
                std::copy_n(samples.begin() + std::ptrdiff_t{y} * DCTSIZE, DCTSIZE,
                            &plane.at(bx * DCTSIZE, by * DCTSIZE + y));
            }
        }
    }
    return plane;
}

void JpegBlocks::change(std::size_t component, const Plane& plane) {
    const Rect blocks = block_rect(plane.area);
    std::array<std::uint8_t, DCTSIZE2> before{};
    for (int by = blocks.y; by < blocks.bottom(); ++by) {
        JCOEF* row = state_->row(component, by, true);
        for (int bx = blocks.x; bx < blocks.right(); ++bx) {
            const JQUANT_TBL& table = state_->quantization(component);
            decode_block(row + std::ptrdiff_t{DCTSIZE2} * bx, table, before);
            const auto after = block_of(plane, bx * DCTSIZE, by * DCTSIZE);
            if (before != after) {
                encode_block(after, table, row + std::ptrdiff_t{DCTSIZE2} * bx);
            }
        }
    }
}

namespace {

using Basis = std::array<std::array<float, 4>, 4>;

// basis[k][x]: the DCT of n points, scaled so that the mean is kept.
Basis reduced_basis(std::size_t n) {
    Basis basis{};
    for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t x = 0; x < n; ++x) {
            const double c = k == 0 ? std::sqrt(0.125) : 0.5;
            basis[k][x] = static_cast<float>(
                c * std::cos((2.0 * static_cast<double>(x) + 1.0) * static_cast<double>(k) *
                             std::numbers::pi / (2.0 * static_cast<double>(n))));
        }
    }
    return basis;
}

// The n x n samples that the lowest n x n coefficients of a block stand for, rows of n.
std::array<float, 16> reduce_block(const JCOEF* block, const JQUANT_TBL& table, const Basis& basis,
                                   std::size_t n) {
    std::array<float, 16> half{};
    for (std::size_t i = 0; i < n * n; ++i) {
        const std::size_t v = i / n;
        const std::size_t u = i % n;
        const float value = static_cast<float>(block[v * DCTSIZE + u]) *
                            static_cast<float>(table.quantval[v * DCTSIZE + u]);
        for (std::size_t x = 0; x < n; ++x) {
            half[v * n + x] += value * basis[u][x];
        }
    }
    std::array<float, 16> out{};
    for (std::size_t i = 0; i < n * n; ++i) {
        for (std::size_t v = 0; v < n; ++v) {
            out[i] += half[v * n + i % n] * basis[v][i / n];
        }
    }
    return out;
}

// Puts a block at (left, top), as far as it lies inside.
void put_block(Plane& plane, int left, int top, const std::array<float, 16>& samples, int n) {
    for (int y = 0; y < n && top + y < plane.area.height; ++y) {
        for (int x = 0; x < n && left + x < plane.area.width; ++x) {
            const int i = y * n + x;
            plane.at(left + x, top + y) = to_sample(samples[static_cast<std::size_t>(i)]);
        }
    }
}

}  // namespace

Plane JpegBlocks::reduced(int samples_per_block) const {
    COLOPHON_ASSERT(samples_per_block == 1 || samples_per_block == 2 || samples_per_block == 4);
    const auto n = static_cast<std::size_t>(samples_per_block);
    const JQUANT_TBL& table = state_->quantization(0);
    const JpegComponent& facts = state_->components[0];
    const Basis basis = reduced_basis(n);
    const auto reduce = [&](int side) {
        return (side * samples_per_block + DCTSIZE - 1) / DCTSIZE;
    };
    Plane out({0, 0, std::max(1, reduce(facts.width)), std::max(1, reduce(facts.height))});
    const int rows = (facts.height + DCTSIZE - 1) / DCTSIZE;
    const int columns = (facts.width + DCTSIZE - 1) / DCTSIZE;
    for (int by = 0; by < rows; ++by) {
        // The means are known without decoding.
        const JCOEF* row = n == 1 && state_->scan ? nullptr : state_->row(0, by, false);
        for (int bx = 0; bx < columns; ++bx) {
            JCOEF mean = 0;
            if (row == nullptr) {
                mean = state_->scan->mean(bx, by);
            }
            const JCOEF* block = row == nullptr ? &mean : row + std::ptrdiff_t{DCTSIZE2} * bx;
            put_block(out, bx * samples_per_block, by * samples_per_block,
                      reduce_block(block, table, basis, n), samples_per_block);
        }
    }
    return out;
}

namespace {

struct WriteJob {
    ErrorTrap* trap;
    jpeg_decompress_struct* decoder;
    jvirt_barray_ptr* arrays;
    jpeg_compress_struct encoder;
    unsigned char* bytes;
    unsigned long size;
};

// Whether the picture uses only the tables that Annex K of T.81 lists, which have a code for every
// symbol. Any others may lack the symbols of the changed blocks.
bool usual_tables(const jpeg_decompress_struct& decoder, const jpeg_compress_struct& encoder) {
    const int used = decoder.num_components > 1 ? 2 : 1;
    for (int i = 0; i < used; ++i) {
        if (!same_table(decoder.dc_huff_tbl_ptrs[i], encoder.dc_huff_tbl_ptrs[i]) ||
            !same_table(decoder.ac_huff_tbl_ptrs[i], encoder.ac_huff_tbl_ptrs[i])) {
            return false;
        }
    }
    return true;
}

void write_picture(WriteJob* job) {
    jpeg_create_compress(&job->encoder);
    jpeg_mem_dest(&job->encoder, &job->bytes, &job->size);
    jpeg_copy_critical_parameters(job->decoder, &job->encoder);
    job->encoder.write_JFIF_header = FALSE;
    job->encoder.write_Adobe_marker = FALSE;
    job->encoder.restart_interval = job->decoder->restart_interval;
    if (job->decoder->progressive_mode != 0) {
        jpeg_simple_progression(&job->encoder);
    } else {
        job->encoder.optimize_coding = usual_tables(*job->decoder, job->encoder) ? FALSE : TRUE;
    }
    jpeg_write_coefficients(&job->encoder, job->arrays);
    jpeg_finish_compress(&job->encoder);
}

}  // namespace

// The segments up to SOS as they stand in the file, APPn and COM left out, and the scan.
Result<Buffer> JpegBlocks::write_scan() {
    const auto written = state_->scan->write();
    if (!written) {
        TRY(give_to_libjpeg());
        return write_arrays();
    }
    const auto segments = header_segments(state_->file, state_->coded_offset);
    COLOPHON_ASSERT(segments.has_value());  // or there would be no scan
    Buffer out;
    out.reserve(written->coded.size() + kHeaderBytes);
    append(out, state_->file.first(2));
    for (const Bytes& segment : *segments) {
        const std::uint8_t marker = segment[1];
        if (&segment == &segments->back()) {
            append(out, written->tables);
        }
        if ((marker < 0xE0 || marker > 0xEF) && marker != 0xFE) {
            append(out, segment);
        }
    }
    append(out, written->coded);
    append_be16(out, 0xFFD9);
    return out;
}

// Reads the picture the other way too, and takes the changes over.
Result<void> JpegBlocks::give_to_libjpeg() {
    if (!guard(state_->trap, State::read_arrays, state_.get())) {
        return state_->failure();
    }
    const auto scan = std::exchange(state_->scan, std::nullopt);
    for (std::size_t c = 0; c < state_->components.size(); ++c) {
        const jpeg_component_info& facts = state_->info(c);
        for (int y = 0; y < static_cast<int>(facts.height_in_blocks); ++y) {
            if (const internal::JpegBlock* blocks = scan->changed_row(c, y)) {
                std::memcpy(state_->row(c, y, true), blocks,
                            facts.width_in_blocks * sizeof(internal::JpegBlock));
            }
        }
    }
    return {};
}

Result<Buffer> JpegBlocks::write() {
    return state_->scan ? write_scan() : write_arrays();
}

Result<Buffer> JpegBlocks::write_arrays() {
    ErrorTrap trap{};
    set_trap(trap);
    WriteJob job{.trap = &trap,
                 .decoder = &state_->decoder,
                 .arrays = state_->arrays,
                 .encoder = {},
                 .bytes = nullptr,
                 .size = 0};
    job.encoder.err = &trap.manager;
    // The arrays belong to the decoder, which may report through its own trap.
    const bool good = setjmp(state_->trap.back) == 0 && guard(trap, write_picture, &job);
    jpeg_destroy_compress(&job.encoder);
    Buffer out;
    if (good) {
        out.assign(job.bytes, job.bytes + job.size);
    }
    std::free(job.bytes);
    if (!good) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("the JPEG cannot be written: {}", trap.message)};
    }
    return out;
}

}  // namespace colophon::media

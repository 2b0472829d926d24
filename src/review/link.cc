// SPDX-License-Identifier: Apache-2.0
#include "review/link.h"

#include "core/result.h"
#include "core/utf8.h"
#include "review/automaton.h"
#include "review/fold.h"
#include "review/internal/characters.h"
#include "review/punycode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::size_t kHostBytesMax = 253;  // RFC 1035
constexpr std::size_t kLinkFormsMax = 16;

struct Block {
    constexpr Block(char32_t from, char32_t to) noexcept : first(from), last(to) {}
    char32_t first;
    char32_t last;
};

bool is_in(std::span<const Block> blocks, char32_t character) noexcept {
    return std::ranges::any_of(blocks, [&](const Block& block) {
        return character >= block.first && character <= block.last;
    });
}

// Written without spaces between words: a name may stand right beside a word that is no part of it.
constexpr std::array kUnspaced{
    Block{0x0e00, 0x0eff}, Block{0x1000, 0x109f}, Block{0x1100, 0x11ff},   Block{0x1780, 0x17ff},
    Block{0x3005, 0x3007}, Block{0x3040, 0x31ff}, Block{0x3400, 0x9fff},   Block{0xac00, 0xd7a3},
    Block{0xf900, 0xfaff}, Block{0xff66, 0xffdc}, Block{0x20000, 0x3ffff},
};

// Letters and digits of ASCII in other shapes.
constexpr std::array kShapes{
    Block{0x2070, 0x209c}, Block{0x2100, 0x214f},   Block{0x2460, 0x24ff},
    Block{0xff01, 0xff5e}, Block{0x1d400, 0x1d7ff}, Block{0x1f100, 0x1f1ff},
};

bool is_ascii_word(char32_t c) noexcept {
    return (c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9');
}

bool is_dash(char32_t c) noexcept {
    return c == U'-' || c == U'_';
}

// Small letters of the scripts that have them, as far as names are written in them.
char32_t small_letter(char32_t c) noexcept {
    if ((c >= U'A' && c <= U'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
        (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f)) {
        return c + 0x20;
    }
    if (c >= 0x400 && c <= 0x40f) {
        return c + 0x50;
    }
    const bool even = (c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177);
    const bool odd = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
    return (even && c % 2 == 0) || (odd && c % 2 == 1) ? c + 1 : c;
}

char32_t link_character(char32_t c) noexcept {
    if (c < 0x80) {
        return small_letter(c);
    }
    switch (c) {
        case 0x3000:
            return U' ';
        case 0x2024:
        case 0x3002:
        case 0xfe52:
        case 0xff61:
            return U'.';
        case 0x2044:
        case 0x2215:
            return U'/';
        default:
            break;
    }
    if (c >= 0xff01 && c <= 0xff5e) {
        return small_letter(c - 0xfee0);
    }
    if (is_in(kShapes, c)) {
        const Folded plain = fold(c, Folding::kPlain);
        if (plain.count == 1 && is_ascii_word(plain.characters[0])) {
            return plain.characters[0];
        }
    }
    return small_letter(c);
}

LinkCharacter kind_of(char32_t c, LinkCharacter before) noexcept {
    if (is_dash(c)) {  // no name begins with one
        return before == LinkCharacter::kWord ? LinkCharacter::kWord : LinkCharacter::kOther;
    }
    if (c < 0x80) {
        return is_ascii_word(c) ? LinkCharacter::kWord
               : c == U'.'      ? LinkCharacter::kDot
                                : LinkCharacter::kOther;
    }
    if (c == internal::kInvalid) {
        return LinkCharacter::kOther;
    }
    if (is_in(kUnspaced, c)) {
        return LinkCharacter::kIdeograph;
    }
    return class_of(c) == CharacterClass::kText ? LinkCharacter::kWord : LinkCharacter::kOther;
}

// What the beginning of what is pending may be.
struct Token {
    enum class State : std::uint8_t { kNone, kMore, kDone, kDropFirst } state = State::kNone;
    char32_t character = 0;
    std::size_t size = 0;  // characters
    bool spaces_follow = false;
};

constexpr Token kNoToken{};
constexpr Token kMoreToken{.state = Token::State::kMore};

class Pending {
public:
    explicit Pending(const std::deque<LinkSymbol>& all) : all_(all) {}
    bool at_end() const noexcept { return at_ == all_.size(); }
    char32_t look() const noexcept { return at_end() ? 0 : all_[at_].character; }
    void next() noexcept { ++at_; }
    std::size_t taken() const noexcept { return at_; }
    unsigned spaces() noexcept {
        unsigned count = 0;
        while (look() == U' ') {
            next();
            ++count;
        }
        return count;
    }

private:
    const std::deque<LinkSymbol>& all_;
    std::size_t at_ = 0;
};

// "." or "dot" or 点. Whether it may still become one, or is one, which is passed over.
Token::State read_dot(Pending& pending) noexcept {
    const char32_t first = pending.look();
    if (first == U'.' || first == U'点' || first == U'點') {
        pending.next();
        return Token::State::kDone;
    }
    for (const char32_t wanted : std::u32string_view(U"dot")) {
        if (pending.at_end()) {
            return Token::State::kMore;
        }
        if (pending.look() != wanted) {
            return Token::State::kNone;
        }
        pending.next();
    }
    return Token::State::kDone;
}

// "[.]", "(dot)", " dot ".
Token read_dotted(Pending pending) noexcept {
    constexpr unsigned kSpacesMax = 2;
    const unsigned before = pending.spaces();
    if (before > kSpacesMax) {
        return kNoToken;
    }
    if (pending.at_end()) {
        return kMoreToken;
    }
    const std::u32string_view openings = U"[({";
    const std::size_t bracket = openings.find(pending.look());
    const bool bare = bracket == std::u32string_view::npos;
    if (bare && (before == 0 || pending.look() == U'.')) {
        return kNoToken;
    }
    if (!bare) {
        pending.next();
        if (pending.spaces() > kSpacesMax) {
            return kNoToken;
        }
    }
    const Token::State dot = pending.at_end() ? Token::State::kMore : read_dot(pending);
    if (dot != Token::State::kDone) {
        return {.state = dot};
    }
    const unsigned after = pending.spaces();
    if (after > kSpacesMax) {
        return kNoToken;
    }
    if (bare && after > 0) {
        return {.state = Token::State::kDone,
                .character = U'.',
                .size = pending.taken(),
                .spaces_follow = true};
    }
    if (pending.at_end()) {
        return kMoreToken;
    }
    if (bare || pending.look() != std::u32string_view(U"])}")[bracket]) {
        return kNoToken;
    }
    return {.state = Token::State::kDone,
            .character = U'.',
            .size = pending.taken() + 1,
            .spaces_follow = true};
}

std::optional<unsigned> hex_digit(char32_t c) noexcept {
    if (c >= U'0' && c <= U'9') {
        return c - U'0';
    }
    if (c >= U'a' && c <= U'f') {
        return c - U'a' + 10;
    }
    return std::nullopt;
}

// Two digits are added as a byte; otherwise what to say instead.
std::optional<Token> read_hex_byte(Pending& pending, std::string& bytes) {
    unsigned byte = 0;
    for (int i = 0; i < 2; ++i) {
        if (pending.at_end()) {
            return kMoreToken;
        }
        const auto digit = hex_digit(pending.look());
        if (!digit) {
            return kNoToken;
        }
        byte = byte * 16 + *digit;
        pending.next();
    }
    bytes += static_cast<char>(byte);
    return std::nullopt;
}

// "%65", "%e4%be%8b".
Token read_percent(Pending pending) {
    std::string bytes;
    while (true) {
        if (pending.at_end()) {
            return kMoreToken;
        }
        if (pending.look() != U'%') {
            return kNoToken;
        }
        pending.next();
        if (const auto ended = read_hex_byte(pending, bytes)) {
            return *ended;
        }
        std::size_t at = 0;
        if (const auto character = next_code_point(bytes, at)) {
            if (*character <= U' ' || *character == U'%') {
                return kNoToken;
            }
            return {.state = Token::State::kDone,
                    .character = link_character(*character),
                    .size = pending.taken()};
        }
        const auto first = static_cast<unsigned char>(bytes.front());
        const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
        if (bytes.size() >= length) {
            return kNoToken;
        }
    }
}

// ":8080/": the port between a name and its path.
Token read_port(Pending pending) noexcept {
    constexpr int kDigitsMax = 5;
    pending.next();
    int digits = 0;
    while (pending.look() >= U'0' && pending.look() <= U'9' && digits <= kDigitsMax) {
        pending.next();
        ++digits;
    }
    if (digits > kDigitsMax) {
        return kNoToken;
    }
    if (pending.at_end()) {
        return kMoreToken;
    }
    if (digits == 0 || pending.look() != U'/') {
        return kNoToken;
    }
    return {.state = Token::State::kDone, .character = U'/', .size = pending.taken() + 1};
}

// Before punctuation it is Markdown's and says nothing.
Token read_backslash(Pending pending) noexcept {
    pending.next();
    if (pending.at_end()) {
        return kMoreToken;
    }
    const bool escapes =
        std::u32string_view(U".-_/:@[](){}").find(pending.look()) != std::u32string_view::npos;
    return {.state = escapes ? Token::State::kDropFirst : Token::State::kNone};
}

Token read_token(const std::deque<LinkSymbol>& all) {
    const Pending pending(all);
    switch (pending.look()) {
        case U' ':
        case U'[':
        case U'(':
        case U'{':
            return read_dotted(pending);
        case U'%':
            return read_percent(pending);
        case U':':
            return read_port(pending);
        case U'\\':
            return read_backslash(pending);
        default:
            return kNoToken;
    }
}

Error wrong_link(std::string what) {
    return {ErrorCode::kInvalidArgument, std::move(what)};
}

// As it is searched for, without scheme.
std::u32string read_link(std::string_view link) {
    const std::size_t scheme = link.find("://");
    if (scheme != std::string_view::npos && link.find_first_of("/.") > scheme) {
        link.remove_prefix(scheme + 3);
    }
    LinkReader reader;
    std::vector<LinkSymbol> symbols;
    reader.push(link, true, symbols);
    std::u32string read;
    for (const LinkSymbol& each : symbols) {
        if (each.character != U'/' || !read.ends_with(U'/')) {
            read.push_back(each.character);
        }
    }
    return read;
}

bool is_number(std::u32string_view label) noexcept {
    return std::ranges::all_of(label, [](char32_t c) { return c >= U'0' && c <= U'9'; });
}

std::string as_ascii(std::u32string_view label) {
    std::string text;
    std::ranges::transform(label, std::back_inserter(text),
                           [](char32_t c) { return static_cast<char>(c); });
    return text;
}

// The ways to write a label: itself and its other form.
Result<std::vector<std::u32string>> forms_of_label(const std::u32string& label) {
    const bool ascii = std::ranges::all_of(label, [](char32_t c) { return c < 0x80; });
    LinkCharacter before = LinkCharacter::kOther;
    for (const char32_t c : label) {
        before = kind_of(c, before);
        if (before != LinkCharacter::kWord && before != LinkCharacter::kIdeograph && !is_dash(c)) {
            return wrong_link("a domain holds a character that none may have");
        }
    }
    if (label.empty() || label.size() > kDomainLabelBytesMax || label.front() == U'-' ||
        label.back() == U'-') {
        return wrong_link(
            fmt::format("each part of a domain has 1 to {} characters, and no dash "
                        "at its ends",
                        kDomainLabelBytesMax));
    }
    if (label.starts_with(U"xn--")) {
        const auto decoded =
            ascii ? decode_punycode(as_ascii(label).substr(4)) : std::optional<std::u32string>();
        if (!decoded || decoded->empty()) {
            return wrong_link("a part of the domain begins with xn-- and is no punycode");
        }
        std::u32string other;
        std::ranges::transform(*decoded, std::back_inserter(other), link_character);
        return std::vector{label, std::move(other)};
    }
    if (ascii) {
        return std::vector{label};
    }
    const auto encoded = encode_punycode(label);
    if (!encoded || encoded->size() + 4 > kDomainLabelBytesMax) {
        return wrong_link(
            fmt::format("a part of the domain has more than {} bytes in the form that the network "
                        "has for it",
                        kDomainLabelBytesMax));
    }
    return std::vector{label, U"xn--" + std::u32string(encoded->begin(), encoded->end())};
}

std::vector<std::u32string> labels_of(std::u32string_view host) {
    std::vector<std::u32string> labels;
    while (true) {
        const std::size_t dot = std::min(host.find(U'.'), host.size());
        labels.emplace_back(host.substr(0, dot));
        if (dot == host.size()) {
            return labels;
        }
        host.remove_prefix(dot + 1);
    }
}

// A name or an IPv4 address, in all forms.
Result<std::vector<LinkForm>> forms_of_host(std::u32string_view host) {
    if (host.starts_with(U"*.")) {
        return wrong_link("a domain stands for all names below it as it is; leave out *.");
    }
    const auto labels = labels_of(host);
    if (labels.size() < 2 || host.size() > kHostBytesMax) {
        return wrong_link(
            fmt::format("a domain has two parts or more, with dots between them, and "
                        "at most {} characters",
                        kHostBytesMax));
    }
    const bool is_address = labels.size() == 4 && std::ranges::all_of(labels, is_number);
    if (!is_address && is_number(labels.back())) {
        return wrong_link("no domain ends with a number");
    }
    std::vector<LinkForm> forms{{.text = {}, .is_address = is_address}};
    for (const std::u32string& label : labels) {
        const auto ways = TRY(forms_of_label(label));
        std::vector<LinkForm> longer;
        for (const LinkForm& form : forms) {
            for (const std::u32string& way : ways) {
                longer.push_back({.text = form.text + (form.text.empty() ? U"" : U".") + way,
                                  .is_address = is_address});
            }
        }
        if (longer.size() > kLinkFormsMax) {
            return wrong_link("a domain has at most four parts that are not ASCII");
        }
        forms = std::move(longer);
    }
    return forms;
}

}  // namespace

Result<std::vector<LinkForm>> parse_link(std::string_view link) {
    if (link.empty() || link.size() > kLinkBytesMax || find_invalid_utf8(link) ||
        std::ranges::any_of(link, [](char c) {
            return (static_cast<unsigned char>(c) <= 0x20) || c == 0x7f || c == '#';
        })) {
        return wrong_link(
            fmt::format("a link is 1 to {} bytes of UTF-8 without spaces and #", kLinkBytesMax));
    }
    std::u32string read = read_link(link);
    const std::size_t slash = std::min(read.find(U'/'), read.size());
    std::u32string host = read.substr(0, slash);
    std::u32string path = read.substr(slash);
    while (path.ends_with(U'/') || path.ends_with(U'.')) {
        path.pop_back();
    }
    const std::size_t at = host.rfind(U'@');
    if (at != std::u32string::npos) {
        host.erase(0, at + 1);
    }
    const std::size_t colon = host.find(U':');
    if (colon != std::u32string::npos && is_number(std::u32string_view(host).substr(colon + 1))) {
        host.erase(colon);
    }
    if (host.ends_with(U'.')) {
        host.pop_back();
    }
    auto forms = TRY(forms_of_host(host));
    for (LinkForm& form : forms) {
        form.text += path;
    }
    return forms;
}

LinkSet::LinkSet(std::vector<LinkForm> forms, std::vector<std::uint32_t> numbers) {
    std::vector<Pattern> patterns;
    for (std::size_t i = 0; i < forms.size(); ++i) {
        const std::u32string& text = forms[i].text;
        Pattern& pattern = patterns.emplace_back();
        LinkCharacter kind = LinkCharacter::kOther;
        Form form{.number = numbers[i],
                  .length = static_cast<std::uint16_t>(text.size()),
                  .first = kind_of(text.front(), kind),
                  .is_address = forms[i].is_address};
        for (const char32_t character : text) {
            kind = kind_of(character, kind);
            if (symbols_.size() == std::numeric_limits<Symbol>::max()) {
                return;
            }
            const auto next = static_cast<Symbol>(symbols_.size() + 1);
            pattern.push_back(symbols_.try_emplace(character, next).first->second);
        }
        form.last = kind;
        longest_ = std::max(longest_, text.size());
        forms_.push_back(form);
    }
    automaton_ = std::make_unique<const Automaton>(patterns, static_cast<Symbol>(symbols_.size()));
}

Symbol LinkSet::symbol_of(char32_t character) const noexcept {
    const auto found = symbols_.find(character);
    return found == symbols_.end() ? Symbol{0} : found->second;
}

void LinkReader::push(std::string_view piece, bool last, std::vector<LinkSymbol>& symbols) {
    std::size_t at = 0;
    while (at < piece.size()) {
        const std::size_t begin = at;
        const char32_t character = internal::take_character(piece, at);
        ++characters_;
        const bool unseen = character >= 0x80 && character != internal::kInvalid &&
                            class_of(character) == CharacterClass::kUnseen;
        unseen_ = unseen ? unseen_ + 1 : 0;
        if (unseen && unseen_ <= kLinkUnseenMax) {
            continue;
        }
        const char32_t read =
            character == internal::kInvalid ? character : link_character(character);
        pending_.push_back({.character = read,
                            .begin = offset_ + begin,
                            .end = offset_ + at,
                            .number = characters_});
        settle(false, symbols);
    }
    offset_ += piece.size();
    if (last) {
        settle(true, symbols);
    }
}

void LinkReader::settle(bool last, std::vector<LinkSymbol>& symbols) {
    while (!pending_.empty()) {
        if (spaces_ > 0 && pending_.front().character == U' ') {
            --spaces_;
            pending_.pop_front();
            continue;
        }
        spaces_ = 0;
        const Token token = read_token(pending_);
        if (token.state == Token::State::kMore && !last) {
            return;
        }
        if (token.state == Token::State::kDone) {
            const auto after = pending_.begin() + static_cast<std::ptrdiff_t>(token.size);
            symbols.push_back({.character = token.character,
                               .begin = pending_.front().begin,
                               .end = (after - 1)->end,
                               .number = (after - 1)->number});
            spaces_ = token.spaces_follow ? 2 : 0;
            pending_.erase(pending_.begin(), after);
            continue;
        }
        if (token.state != Token::State::kDropFirst) {
            symbols.push_back(pending_.front());
            if (symbols.back().character == U'\\') {
                symbols.back().character = U'/';
            }
        }
        pending_.pop_front();
    }
}

LinkScan::LinkScan(std::shared_ptr<const LinkSet> set)
    : set_(std::move(set)), trail_(set_->longest_ + 1) {}

void LinkScan::push(std::string_view piece, bool last, std::vector<Hit>& hits) {
    std::vector<LinkSymbol> symbols;
    reader_.push(piece, last, symbols);
    for (const LinkSymbol& each : symbols) {
        take(each, hits);
    }
    if (last) {
        settle_open(0, LinkCharacter::kOther, hits);
        state_ = Automaton::kRoot;
    }
}

void LinkScan::take(const LinkSymbol& symbol, std::vector<Hit>& hits) {
    if (symbol.character == U'/' && std::exchange(after_slash_, true)) {
        return;
    }
    after_slash_ = symbol.character == U'/';
    const LinkCharacter kind = kind_of(symbol.character, before_);
    settle_open(symbol.character, kind, hits);
    trail_[symbols_ % trail_.size()] = {.begin = symbol.begin, .before = before_};
    ++symbols_;
    before_ = kind;
    const Symbol number = set_->symbol_of(symbol.character);
    state_ = number == 0 ? Automaton::kRoot : set_->automaton_->step(state_, number);
    if (set_->automaton_->ends(state_)) {
        note_ends(symbol);
    }
}

void LinkScan::note_ends(const LinkSymbol& symbol) {
    set_->automaton_->for_each_end(state_, [&](std::uint32_t index) {
        const LinkSet::Form& form = set_->forms_[index];
        const Trail& start = trail_[(symbols_ - form.length) % trail_.size()];
        const bool within =
            (start.before == LinkCharacter::kWord && form.first == LinkCharacter::kWord) ||
            (start.before == LinkCharacter::kDot && form.is_address);
        if (!within) {
            open_.push_back({.hit = {.link = form.number,
                                     .begin = start.begin,
                                     .end = symbol.end,
                                     .end_character = symbol.number},
                             .last = form.last});
        }
    });
}

// What ended before this character goes on with it or is what is listed.
void LinkScan::settle_open(char32_t next, LinkCharacter kind, std::vector<Hit>& hits) {
    using After = Open::After;
    std::erase_if(open_, [&](Open& open) {
        const bool dash = kind == LinkCharacter::kWord && is_dash(next);
        if (open.last == LinkCharacter::kWord && dash && open.after != After::kDot) {
            open.after = After::kDash;
            return false;
        }
        if (open.after == After::kName && kind == LinkCharacter::kDot) {
            open.after = After::kDot;
            return false;
        }
        const bool goes_on = kind == LinkCharacter::kWord &&
                             (open.last == LinkCharacter::kWord || open.after == After::kDot);
        if (!goes_on) {
            hits.push_back(open.hit);
        }
        return true;
    });
}

std::size_t LinkScan::known() const noexcept {
    std::size_t known = reader_.decided();
    for (const Open& each : open_) {
        known = std::min(known, each.hit.end - 1);
    }
    return known;
}

std::size_t LinkScan::earliest() const noexcept {
    std::size_t earliest = reader_.decided();
    const std::size_t depth = set_->automaton_->depth(state_);
    if (depth != 0) {
        earliest = std::min(earliest, trail_[(symbols_ - depth) % trail_.size()].begin);
    }
    for (const Open& each : open_) {
        earliest = std::min(earliest, each.hit.begin);
    }
    return earliest;
}

}  // namespace colophon::review

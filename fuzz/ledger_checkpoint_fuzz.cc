// SPDX-License-Identifier: Apache-2.0
// The text of a checkpoint that is read is written back as it was; keys and paths of tiles too.

#include "core/assert.h"
#include "core/bytes.h"
#include "ledger/checkpoint.h"
#include "ledger/note.h"
#include "ledger/tiles.h"
#include "ledger/verify/checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = colophon::as_text({data, size});
    const auto checkpoint = colophon::ledger::parse_checkpoint(text);
    if (checkpoint.ok()) {
        COLOPHON_ASSERT(colophon::ledger::format_checkpoint(*checkpoint) == text);
    }
    const auto tile = colophon::ledger::parse_tile_path(text);
    if (tile.ok()) {
        COLOPHON_ASSERT(colophon::ledger::tile_path(*tile) == text);
    }
    const auto key = colophon::ledger::NoteVerifier::parse(text);
    if (key.ok()) {
        COLOPHON_ASSERT(colophon::ledger::verify::read_key(text).ok());
    }
    return 0;
}

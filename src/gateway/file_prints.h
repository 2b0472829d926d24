// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a record keeps of the files of its call, so that they can be compared again by other rules:
// the prints that review compared, or why there are none (ledger/file_prints.h) [DSP-10].

#include "core/bytes.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/parts.h"
#include "label/format.h"
#include "ledger/record.h"
#include "review/scope.h"
#include "worker/prints.h"

#include <cstddef>
#include <string>

namespace colophon::gateway {

inline constexpr const char* kRefusedBefore = "a check refused it before it was compared";

// As the record keeps it, of a file of that kind; without a print where none could be made.
ledger::FilePrint print_of_file(const worker::FilePrints& prints, label::Kind kind);

void keep_print(Call& call, review::Stage stage, ledger::FilePrint file);
// Of a file of which nothing was compared, `kind` as the record shall call it.
void keep_unprinted(Call& call, review::Stage stage, std::string kind, const std::string& why);
// Of so many that came in with a call which was refused for something else first.
void keep_unlooked(Call& call, const char* kind, std::size_t files);

// Of a picture where the library has none to compare it with: its print is made all the same,
// because a later library may have (gateway.picture_prints). What goes wrong is no reason to refuse
// the call. The bytes outlive the task.
Task<void> print_picture(Gateway& gateway, Call& call, review::Stage stage, Bytes picture);

// Of a file that goes out and of which no print was made before: its print with the label on it.
void keep_labelled(Call& call, const Media::Labelled& labelled);

}  // namespace colophon::gateway

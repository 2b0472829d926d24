// SPDX-License-Identifier: Apache-2.0
#pragma once

// Spoken labels, made once in a run and given to each worker once.

#include "core/result.h"
#include "label/apply.h"
#include "label/explicit/audio.h"
#include "label/format.h"
#include "label/record.h"
#include "worker/client.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace colophon::cli {

// May be used by several threads at once.
class Prompts {
public:
    // `recordings`: files of the user's own. Labelling plays the first one instead of synthetic
    // speech; verification looks for all of them besides what it knows by heart.
    explicit Prompts(std::vector<std::string> recordings) : recordings_(std::move(recordings)) {}

    // Gives the worker what a spoken label with these options needs; nothing for other formats.
    Result<void> prepare_label(worker::Worker& worker, const label::ApplyOptions& options,
                               label::Format format);
    // Gives the worker the user's recordings and the spoken labels that are known by heart, to look
    // for. Without a speech synthesizer the latter are not looked for, which is no error.
    Result<void> prepare_verify(worker::Worker& worker, label::Format format);

private:
    Result<std::shared_ptr<const label::SpokenPrompt>> prompt(const std::string& wording);
    Result<void> give(worker::Worker& worker, const label::SpokenPrompt& prompt);
    Result<void> give_recording(worker::Worker& worker, const std::string& path,
                                const std::string& text);
    bool is_newest(const worker::Worker& worker, const std::string& text);
    bool was_given(const worker::Worker& worker, const std::string& text);
    void note_given(const worker::Worker& worker, const std::string& text);

    std::vector<std::string> recordings_;
    std::mutex mutex_;
    // Guarded by mutex_: made prompts by wording, and which worker's newest prompt is which.
    std::map<std::string, std::shared_ptr<const label::SpokenPrompt>> made_;
    std::map<const worker::Worker*, std::set<std::string>> given_;
    std::map<const worker::Worker*, std::string> newest_;
};

}  // namespace colophon::cli

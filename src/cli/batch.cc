// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.h"

#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/terminal.h"
#include "worker/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

// Where the threads leave what they did, for one reader that takes it in order.
class Board {
public:
    explicit Board(std::size_t count) : outcomes_(count) {}

    void put(std::size_t index, Outcome outcome) {
        {
            const std::lock_guard lock(mutex_);
            outcomes_[index] = std::move(outcome);
            ++done_;
        }
        changed_.notify_one();
    }
    // Waits until that outcome is there; tells how many are done by then.
    Outcome take(std::size_t index, std::size_t* done) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return outcomes_[index].has_value(); });
        *done = done_;
        return std::move(*outcomes_[index]);
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::optional<Outcome>> outcomes_;  // guarded by mutex_
    std::size_t done_ = 0;                          // guarded by mutex_
};

struct Tally {
    std::size_t good = 0;
    std::size_t bad = 0;
    std::size_t absent = 0;
    std::size_t unsupported = 0;
    std::size_t failed = 0;

    void add(ExitCode code) {
        switch (code) {
            case ExitCode::kGood:
                ++good;
                break;
            case ExitCode::kBad:
                ++bad;
                break;
            case ExitCode::kAbsent:
                ++absent;
                break;
            case ExitCode::kUnsupported:
                ++unsupported;
                break;
            case ExitCode::kError:
            case ExitCode::kUsage:
                ++failed;
                break;
        }
    }
    std::string text(std::size_t total) const {
        struct Part {
            std::size_t count;
            std::string_view name;
        };
        const std::array parts{Part{good, tr("good", "正常")}, Part{bad, tr("bad", "异常")},
                               Part{absent, tr("without label", "无标识")},
                               Part{unsupported, tr("not supported", "不支持")},
                               Part{failed, tr("failed", "失败")}};
        std::string line = fmt::format("{} {}", total, tr("files", "个文件"));
        for (const Part& part : parts) {
            if (part.count > 0) {
                line += fmt::format(" · {} {}", part.count, part.name);
            }
        }
        return line + "\n";
    }
};

// A film takes as long as it takes, if it goes on at all.
constexpr std::chrono::hours kMovingCallMax{24};

}  // namespace

ExitCode run_batch(const std::vector<Input>& inputs, const BatchOptions& options,
                   const std::function<Outcome(worker::Worker&, const Input&)>& work) {
    Board board(inputs.size());
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stop{false};
    std::vector<std::jthread> lanes;
    const std::size_t count = std::clamp<std::size_t>(options.jobs, 1, inputs.size());
    lanes.reserve(count);
    for (std::size_t lane = 0; lane < count; ++lane) {
        lanes.emplace_back([&] {
            // Of a single file that takes long, how far it is.
            FileProgress file(options.progress && inputs.size() == 1);
            worker::WorkerOptions told = options.worker;
            told.moving_call_max = kMovingCallMax;
            told.on_progress = [&file](double share) { file.share(share); };
            worker::Worker worker(told);
            for (std::size_t i = next++; i < inputs.size(); i = next++) {
                Outcome outcome = stop ? Outcome{} : work(worker, inputs[i]);
                file.clear();
                board.put(i, std::move(outcome));
            }
        });
    }
    Progress progress(inputs.size(), options.progress);
    ExitCode worst = ExitCode::kGood;
    Tally tally;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        std::size_t done = 0;
        const Outcome outcome = board.take(i, &done);
        worst = worse(worst, outcome.code);
        tally.add(outcome.code);
        if (!outcome.out.empty() || !outcome.err.empty()) {
            progress.clear();
        }
        if (!write_text(1, outcome.out)) {
            stop = true;
            return ExitCode::kError;
        }
        write_text(2, outcome.err);
        progress.done(done, inputs[i].path);
    }
    progress.clear();
    if (inputs.size() > 1 && options.tally) {
        write_text(2, tally.text(inputs.size()));
    }
    return worst;
}

}  // namespace colophon::cli

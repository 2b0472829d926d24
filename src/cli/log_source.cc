// SPDX-License-Identifier: Apache-2.0
#include "cli/log_source.h"

#include "cli/files.h"
#include "core/bytes.h"
#include "core/http_exchange.h"
#include "core/result.h"
#include "http/client.h"
#include "ledger/note.h"
#include "ledger/policy.h"
#include "ledger/tiles.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/log.h"
#include "worker/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

// The longest file of a log is a bundle of 256 entries.
constexpr std::size_t kLogFileBytesMax = std::size_t{256} * (65535 + 2);
constexpr std::size_t kKeyFileBytesMax = 64U << 10U;
constexpr std::size_t kPolicyBytesMax = 256U << 10U;

Error failed(const std::string& what, const std::string& path) {
    return {ErrorCode::kUnavailable,
            fmt::format("{} {}: {}", what, path, std::generic_category().message(errno))};
}

Result<std::optional<Buffer>> read_log_file(const std::string& path) {
    const worker::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::optional<Buffer>();
        }
        return failed("cannot open", path);
    }
    struct stat info{};
    if (fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return Error{ErrorCode::kUnavailable, path + " is not a file"};
    }
    // A file that is too long is still a finding of the checker, so its start is enough.
    Buffer content(std::min(static_cast<std::size_t>(info.st_size), kLogFileBytesMax + 1));
    std::size_t have = 0;
    while (have < content.size()) {
        const ssize_t got = read(fd.get(), content.data() + have, content.size() - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return failed("cannot read", path);
        }
        if (got == 0) {
            break;
        }
        have += static_cast<std::size_t>(got);
    }
    content.resize(have);
    return std::optional(std::move(content));
}

// A key's text has two '+'; a path that has them too can be written "./a+b+c".
bool is_key_text(const std::string& text) {
    return std::ranges::count(text, '+') >= 2 && !text.starts_with("./") && !text.starts_with('/');
}

Result<void> add_keys(const std::string& text, Trust& trust) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && !line.starts_with('#')) {
            trust.keys.push_back(TRY(ledger::verify::read_key(line)));
        }
    }
    return {};
}

}  // namespace

ledger::verify::Fetch folder_fetch(const std::string& folder) {
    return [folder](const std::string& name) { return read_log_file(folder + "/" + name); };
}

bool is_url(const std::string& text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

Result<ledger::verify::Fetch> url_fetch(const std::string& address) {
    const HttpExchange exchange = TRY(http::make_client_exchange());
    std::string base = address;
    if (base.ends_with('/')) {
        base.pop_back();
    }
    return ledger::verify::Fetch([exchange,
                                  base](const std::string& name) -> Result<std::optional<Buffer>> {
        HttpRequest request;
        request.url = base + "/" + name;
        request.response_bytes_max = kLogFileBytesMax + 1;
        HttpResponse response = TRY(exchange(request));
        if (response.status == 404 || response.status == 410) {
            return std::optional<Buffer>();
        }
        if (response.status != 200) {
            return Error{ErrorCode::kUnavailable, fmt::format("{} answered {} with the status {}",
                                                              base, name, response.status)};
        }
        // tlog-tiles lets a server compress without being asked.
        if (const auto coding = response.header("content-encoding");
            !coding.empty() && coding != "identity") {
            return Error{ErrorCode::kUnsupported,
                         fmt::format("{} sends {} compressed, which is not read", base, name)};
        }
        return std::optional(std::move(response.body));
    });
}

Result<ledger::verify::Fetch> open_log(const std::string& place) {
    return is_url(place) ? url_fetch(place) : Result<ledger::verify::Fetch>(folder_fetch(place));
}

ledger::ReadTile tiles_of_log(const ledger::verify::Fetch& fetch) {
    return [fetch](const ledger::Tile& tile) -> Result<Buffer> {
        const std::string path = ledger::tile_path(tile);
        auto content = TRY(fetch(path));
        if (!content) {
            return Error{ErrorCode::kNotFound, path + " is missing"};
        }
        return std::move(*content);
    };
}

Result<Trust> open_trust(const std::vector<std::string>& keys, const std::string& policy) {
    Trust trust;
    for (const std::string& each : keys) {
        if (is_key_text(each)) {
            trust.keys.push_back(TRY(ledger::verify::read_key(each)));
            continue;
        }
        const std::string text = TRY(read_small_file(each, kKeyFileBytesMax));
        const auto added = add_keys(text, trust);
        if (!added.ok()) {
            return with_context(added.error(), each);
        }
    }
    if (!policy.empty()) {
        auto parsed = ledger::Policy::parse(TRY(read_small_file(policy, kPolicyBytesMax)));
        if (!parsed.ok()) {
            Error error = with_context(parsed.error(), policy);
            error.code = ErrorCode::kInvalidArgument;
            return error;
        }
        trust.policy = std::move(parsed).value();
        for (const ledger::PolicyLog& log : trust.policy->logs()) {
            trust.keys.push_back(TRY(ledger::verify::read_key(log.key.vkey())));
        }
        for (const ledger::PolicyWitness& witness : trust.policy->witnesses()) {
            trust.keys.push_back(TRY(ledger::verify::read_key(witness.key.vkey())));
        }
    }
    if (std::ranges::none_of(trust.keys, [](const auto& key) { return !key.witness; })) {
        return Error{ErrorCode::kInvalidArgument,
                     "a public key of the log is needed: --key KEY, or a policy that names one"};
    }
    return trust;
}

bool quorum_met(const Trust& trust, const ledger::verify::SignedCheckpoint& checkpoint) {
    return !trust.policy || trust.policy->quorum([&](const ledger::NoteVerifier& key) {
        return std::ranges::any_of(checkpoint.cosigners, [&](const auto& each) {
            return each.key_id == key.key_id() && each.name == key.name();
        });
    });
}

}  // namespace colophon::cli

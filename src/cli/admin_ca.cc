// SPDX-License-Identifier: Apache-2.0
// colophon admin ca: an authority of one's own for Content Credentials.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/credentials.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "label/provenance/authority.h"
#include "label/provenance/signature_algorithm.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace colophon::cli {
namespace {

namespace provenance = label::provenance;

struct Arguments {
    std::string folder;
    std::string organization;
    std::string name;
    std::string algorithm = "es256";
    std::string ocsp_responder;
    int days = 365;
    bool json = false;
};

Result<provenance::SignatureAlgorithm> parse_algorithm(std::string_view text) {
    std::string known;
    for (const provenance::SignatureAlgorithmFacts& row : provenance::all_signature_algorithms()) {
        std::string name(row.name);
        std::ranges::transform(name, name.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        // The digest of an RSA key follows from its length, so one name stands for all three.
        if (row.algorithm == provenance::SignatureAlgorithm::kPs256 ||
            row.algorithm == provenance::SignatureAlgorithm::kPs512) {
            continue;
        }
        if (name == text) {
            return row.algorithm;
        }
        known += (known.empty() ? "" : ", ") + name;
    }
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} is no algorithm; known are {}", text, known)};
}

Result<ExitCode> run_ca(const Arguments& arguments) {
    SystemClock clock;
    const provenance::CertificateRequest request{
        .organization = arguments.organization,
        .common_name = arguments.name.empty() ? arguments.organization : arguments.name,
        .algorithm = TRY(parse_algorithm(arguments.algorithm)),
        .not_before = clock.now() - std::chrono::hours(1),
        .lifetime = std::chrono::days{arguments.days},
        .ocsp_responder = arguments.ocsp_responder};
    const AuthorityFiles files = TRY(make_authority(arguments.folder, request));
    if (arguments.json) {
        write_text(1, json::write(json::Object{{"root", files.root_certificate},
                                               {"root_key", files.root_key},
                                               {"certificate", files.certificate},
                                               {"key", files.key}}) +
                          "\n");
        return ExitCode::kGood;
    }
    write_text(1, fmt::format("{}  --sign-key {} --sign-cert {}\n{}  --trust-list {}\n{}  {}\n",
                              tr("sign with:    ", "签署："), files.key, files.certificate,
                              tr("trust it with:", "信任："), files.root_certificate,
                              tr("keep away:    ", "妥善保管："), files.root_key));
    return ExitCode::kGood;
}

}  // namespace

void add_admin_ca_verb(CLI::App& admin, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = admin.add_subcommand(
        "ca", std::string(tr("make an authority of your own for Content Credentials",
                             "建立用于内容凭证的自有证书机构")));
    verb->add_option("FOLDER", arguments->folder,
                     std::string(tr("where its four files go", "存放四个文件的文件夹")))
        ->required();
    verb->add_option("--organization", arguments->organization,
                     std::string(tr("whose certificates they are", "证书所属组织")))
        ->required();
    verb->add_option(
        "--name", arguments->name,
        std::string(tr("name of the signer; default: the organisation", "签署者名称；默认同组织")));
    verb->add_option("--algorithm", arguments->algorithm,
                     std::string(tr("es256, es384, es512, ps384 or ed25519",
                                    "es256、es384、es512、ps384、ed25519")));
    verb->add_option(
        "--ocsp-responder", arguments->ocsp_responder,
        std::string(tr("address at which you will tell whether the certificate was revoked",
                       "用于查询证书吊销状态的服务地址")));
    verb->add_option("--days", arguments->days,
                     std::string(tr("how long the certificate is valid: 1 to 3650",
                                    "证书有效天数：1 至 3650")))
        ->check(CLI::Range(1, 3650).description(""));
    verb->add_flag("--json", arguments->json,
                   std::string(tr("one JSON object", "输出一个 JSON 对象")));
    verb->callback(
        [arguments, &action] { action = [arguments] { return finish(run_ca(*arguments)); }; });
}

}  // namespace colophon::cli

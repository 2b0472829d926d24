// SPDX-License-Identifier: Apache-2.0
// colophon serve under a service manager: it takes the socket that was opened for it, and says when
// it is ready, reads its configuration again, and ends.

#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <string>

namespace colophon {
namespace {

using test::RunningService;

TEST_CASE("a service manager's socket is served, and the manager is told") {
    const RunningService installed;
    const std::string folder = installed.dir.path().string();
    const test::ToolRun run =
        test::run_tool({"env", "-C", folder, "HOME=" + folder, "python3",
                        COLOPHON_SOURCE_DIR "/tests/support/service_manager.py", folder,
                        COLOPHON_PROGRAM, "serve"});
    CHECK_MESSAGE(run.out ==
                      "told READY=1\nanswer alive\ntold RELOADING=1\ntold READY=1\n"
                      "answer ready\ntold STOPPING=1\nended 0\n",
                  run.out, run.err);
}

}  // namespace
}  // namespace colophon

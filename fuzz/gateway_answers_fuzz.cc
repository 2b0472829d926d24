// SPDX-License-Identifier: Apache-2.0
// Answers of webhooks and classifiers, of DashScope and of upstreams that a file describes: a first
// line is a JSON pointer, the rest the answer. A change is whole or refused; a task's number fits
// into an address.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/json.h"
#include "gateway/check_exchange.h"
#include "gateway/cloud_classifiers.h"
#include "gateway/dashscope.h"
#include "gateway/guard_models.h"
#include "gateway/json_template.h"
#include "gateway/template_check.h"
#include "gateway/template_upstream.h"
#include "gateway/webhook_settings.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

namespace gateway = colophon::gateway;

void try_templates(const gateway::JsonPointer& pointer, std::string_view body) {
    // The same answer, as checks of any shape might give it.
    for (int shape = 0; shape < 4; ++shape) {
        gateway::CheckTemplate check;
        if (shape == 0) {
            check.verdict = pointer;
            check.found = {"block", "2"};
            check.passed = {"pass", "0"};
        } else if (shape == 1) {
            check.labels = check.label = check.label_score = pointer;
        } else if (shape == 2) {
            check.labels = pointer;
        } else {
            check.score = pointer;
        }
        gateway::WebhookSettings settings;
        settings.threshold_per_mille = body.size() % 2 == 0 ? 500 : 0;
        const auto judged = gateway::read_template_answer(check, settings, body);
        if (judged.ok()) {
            COLOPHON_ASSERT(!judged->score || (*judged->score >= 0 && *judged->score <= 1));
            COLOPHON_ASSERT(judged->action != gateway::WebhookAnswer::Action::kFound ||
                            (!judged->code.empty() && !judged->category.empty()));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = colophon::as_text({data, size});
    const std::size_t line = std::min(text.find('\n'), text.size());
    const std::string_view body = text.substr(std::min(line + 1, text.size()));

    gateway::WebhookView view;
    view.texts = {"a", "b"};
    view.images = {"c"};
    view.images_may_change = size % 2 == 0;
    const auto answer = gateway::read_webhook_answer(body, view);
    if (answer.ok() && answer->action == gateway::WebhookAnswer::Action::kIntervened) {
        COLOPHON_ASSERT(answer->texts || answer->images);
        COLOPHON_ASSERT(!answer->texts || answer->texts->size() == view.texts.size());
        COLOPHON_ASSERT(!answer->images || view.images_may_change);
    }
    for (const auto shape : {gateway::CheckShape::kAliyun, gateway::CheckShape::kTencent,
                             gateway::CheckShape::kModerations, gateway::CheckShape::kLlamaGuard,
                             gateway::CheckShape::kQwen3Guard}) {
        gateway::WebhookSettings check;
        check.shape = shape;
        check.threshold_per_mille = size % 3 == 0 ? 500 : 0;
        const auto said = gateway::is_cloud(shape) ? gateway::read_cloud_answer(check, body)
                                                   : gateway::read_guard_answer(check, body);
        if (said.ok() && said->action == gateway::WebhookAnswer::Action::kFound) {
            COLOPHON_ASSERT(!said->code.empty() && !said->category.empty());
        }
    }
    const auto task = gateway::dashscope_task(body);
    COLOPHON_ASSERT(!task.ok() || task->find_first_of("/?#. %") == std::string_view::npos);
    (void)gateway::dashscope_pictures(body);
    const auto progress = gateway::dashscope_progress(body);
    COLOPHON_ASSERT(!progress || (*progress >= 0 && *progress <= 100));
    (void)gateway::dashscope_choices(body);

    const auto pointer = gateway::JsonPointer::parse(text.substr(0, line));
    if (!pointer.ok()) {
        return 0;
    }
    try_templates(*pointer, body);
    gateway::UpstreamTemplate from;
    from.text = from.images = from.audio = from.input_tokens = *pointer;
    const auto chat = gateway::template_chat(from, body, "m", 0);
    if (chat.ok()) {
        COLOPHON_ASSERT(gateway::chat_as_chunks(*chat).size() == 3);
        COLOPHON_ASSERT(gateway::chat_as_chunks(gateway::chat_as_completion(*chat)).size() == 3);
    }
    (void)gateway::template_images(from, body);
    (void)gateway::template_sound(from, body);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Answers of webhooks and classifiers, of DashScope and of upstreams that a file describes: a first
// line is a JSON pointer, the rest the answer. A change is whole or refused; a task's number fits
// into an address.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/json.h"
#include "gateway/cloud_classifiers.h"
#include "gateway/dashscope.h"
#include "gateway/guard_models.h"
#include "gateway/template_upstream.h"
#include "gateway/webhook_settings.h"
#include "gateway/webhooks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace gateway = colophon::gateway;
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

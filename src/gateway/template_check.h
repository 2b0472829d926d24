// SPDX-License-Identifier: Apache-2.0
#pragma once

// A classifier of others that a file describes (gateway/check_exchange.h): how it is asked, and
// where in its answer the verdict, the labels and their scores lie [DSP-10].
//
//   verdict   a truth value, a number or a word, which `found`, `passed` and `unsure` explain
//   labels    {"porn": 0.93, ...}, ["porn", ...] or [{"label": "porn", "score": 0.93}, ...]
//   score     one number for the whole
//
// Over the threshold is found, where one is set; otherwise what the verdict says, and without a
// verdict each label that is there. Whatever is not where it should be, or a word that nobody
// explained, is no answer: it agrees to nothing.

#include "core/json.h"
#include "core/result.h"
#include "gateway/check_exchange.h"
#include "gateway/json_template.h"
#include "gateway/webhook_settings.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {

struct CheckTemplate {
    RequestTemplate request;
    std::string digest;                // of the file, SHA-256 in hexadecimal
    std::optional<JsonPointer> error;  // when something stands there, nothing was judged
    std::optional<JsonPointer> verdict;
    std::vector<std::string> found;
    std::vector<std::string> passed;
    std::vector<std::string> unsure;  // then a person shall look at it
    std::optional<JsonPointer> labels;
    std::optional<JsonPointer> label;        // within an element of a list of objects
    std::optional<JsonPointer> label_score;  // the same
    std::optional<JsonPointer> score;
    double score_most = 1;              // what is surest: 1 or, say, 100
    std::vector<std::string> harmless;  // labels that are none: "normal"
    // Its labels, and the categories that they stand for; what is not there is A1h, unless it is
    // the code of a risk itself. In small letters.
    std::map<std::string, std::string, std::less<>> categories;

    bool takes_images() const;  // one picture a question, or all of them
    bool takes_one_image() const;
    bool takes_texts() const;
};

// Placeholders: text (all texts, with blank lines between them), texts, image (base64 of one
// picture), images, tool_calls, asked (what the end user asked, beside an answer), stage, model,
// service, operation, record, tenant, subject, and check_model. kInvalidArgument: a header with a
// line break.
Result<http::UpstreamRequest> template_check_request(const CheckAbout& about,
                                                     const WebhookSettings& webhook,
                                                     const WebhookView& view);
// kCorrupt: an answer of another form.
Result<WebhookAnswer> read_template_answer(const CheckTemplate& from,
                                           const WebhookSettings& webhook, std::string_view body);

}  // namespace colophon::gateway

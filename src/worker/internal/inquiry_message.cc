// SPDX-License-Identifier: Apache-2.0
#include "worker/internal/inquiry_message.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "label/provenance/inquiry.h"
#include "worker/internal/fields.h"

#include <utility>
#include <vector>

namespace colophon::worker::internal {
namespace {

using label::provenance::Answer;
using label::provenance::Inquiry;
using label::provenance::Question;

json::Value encode_question(const Question& question) {
    return json::Object{{"url", question.url}, {"request", to_hex(question.request)}};
}

Result<Question> decode_question(const json::Value& value) {
    Fields fields(value);
    Question question{.url = fields.text("url"),
                      .request = fields.take(from_hex(fields.text("request")), "request")};
    TRY(fields.finish("question"));
    return question;
}

}  // namespace

json::Value encode_questions(const std::vector<Question>& questions) {
    json::Array array;
    for (const Question& each : questions) {
        array.push_back(encode_question(each));
    }
    return array;
}

Result<std::vector<Question>> decode_questions(const json::Value* value) {
    const json::Array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr || array->size() > label::provenance::kQuestionsMax) {
        return Error{ErrorCode::kCorrupt, "no list of questions"};
    }
    std::vector<Question> questions;
    for (const json::Value& each : *array) {
        questions.push_back(TRY(decode_question(each)));
    }
    return questions;
}

json::Value encode_inquiry(const Inquiry& inquiry) {
    json::Array answers;
    for (const Answer& each : inquiry.answers) {
        answers.emplace_back(json::Object{{"question", encode_question(each.question)},
                                          {"failure", each.failure},
                                          {"media_type", each.media_type},
                                          {"bytes", to_hex(each.bytes)}});
    }
    return json::Object{{"revocation", inquiry.revocation},
                        {"external_data", inquiry.external_data},
                        {"answers", std::move(answers)}};
}

Result<Inquiry> decode_inquiry(const json::Value& value) {
    Fields fields(value);
    Inquiry inquiry;
    inquiry.revocation = fields.flag("revocation");
    inquiry.external_data = fields.flag("external_data");
    const json::Value* member = fields.find("answers");
    const json::Array* array = member == nullptr ? nullptr : member->if_array();
    if (array == nullptr || array->size() > label::provenance::kQuestionsMax) {
        return Error{ErrorCode::kCorrupt, "no list of answers"};
    }
    for (const json::Value& each : *array) {
        Fields row(each);
        const json::Value* question = row.find("question");
        if (question == nullptr) {
            return Error{ErrorCode::kCorrupt, "an answer without its question"};
        }
        inquiry.answers.push_back({.question = row.take(decode_question(*question), "question"),
                                   .failure = row.text("failure"),
                                   .media_type = row.text("media_type"),
                                   .bytes = row.take(from_hex(row.text("bytes")), "bytes")});
        TRY(row.finish("answer"));
    }
    TRY(fields.finish("inquiry"));
    return inquiry;
}

}  // namespace colophon::worker::internal

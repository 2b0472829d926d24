// SPDX-License-Identifier: Apache-2.0
#include "review/classifier.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "review/internal/ngrams.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::string_view kMagic = "colophon-classifier-1\n";
constexpr std::size_t kBuckets = std::size_t{1} << kClassifierBits;
constexpr std::size_t kHeaderBytesMax = 65'536;

double logistic(double value) {
    return 1.0 / (1.0 + std::exp(-value));
}

Error corrupt(std::string_view what) {
    return {ErrorCode::kCorrupt, fmt::format("the classifier: {}", what)};
}

Result<double> number_of(const json::Value& header, std::string_view name) {
    const json::Value* value = header.find(name);
    const auto number =
        value == nullptr ? Result<double>(corrupt("a number is missing")) : value->as_double();
    if (!number.ok() || !std::isfinite(*number)) {
        return corrupt(fmt::format("\"{}\" is no number", name));
    }
    return *number;
}

Result<std::uint64_t> count_of(const json::Value& header, std::string_view name) {
    const json::Value* value = header.find(name);
    const auto number =
        value == nullptr ? Result<std::uint64_t>(corrupt("a number is missing")) : value->as_uint();
    if (!number.ok()) {
        return corrupt(fmt::format("\"{}\" is no number", name));
    }
    return *number;
}

Result<Quality> read_quality(const json::Value* value) {
    if (value == nullptr || value->if_object() == nullptr) {
        return corrupt("what it is worth is missing");
    }
    Quality quality;
    quality.samples = TRY(count_of(*value, "samples"));
    quality.positives = TRY(count_of(*value, "positives"));
    quality.threshold = TRY(number_of(*value, "threshold"));
    quality.precision = TRY(number_of(*value, "precision"));
    quality.recall = TRY(number_of(*value, "recall"));
    quality.accuracy = TRY(number_of(*value, "accuracy"));
    quality.average_precision = TRY(number_of(*value, "average_precision"));
    quality.majority = TRY(number_of(*value, "majority"));
    quality.calibration_error = TRY(number_of(*value, "calibration_error"));
    const json::Value* curve = value->find("curve");
    const json::Array* points = curve == nullptr ? nullptr : curve->if_array();
    if (points == nullptr || points->size() > 100) {
        return corrupt("its curve is missing");
    }
    for (const json::Value& each : *points) {
        Quality::Point point;
        point.threshold = TRY(number_of(each, "threshold"));
        point.precision = TRY(number_of(each, "precision"));
        point.recall = TRY(number_of(each, "recall"));
        quality.curve.push_back(point);
    }
    return quality;
}

// Four digits are more than any of these numbers is worth.
double rounded(double value) {
    return std::round(value * 10'000) / 10'000;
}

}  // namespace

json::Object quality_json(const Quality& quality) {
    json::Array curve;
    for (const Quality::Point& point : quality.curve) {
        curve.emplace_back(json::Object{{"recall", rounded(point.recall)},
                                        {"precision", rounded(point.precision)},
                                        {"threshold", rounded(point.threshold)}});
    }
    return {{"samples", quality.samples},
            {"positives", quality.positives},
            {"threshold", quality.threshold},
            {"precision", rounded(quality.precision)},
            {"recall", rounded(quality.recall)},
            {"accuracy", rounded(quality.accuracy)},
            {"average_precision", rounded(quality.average_precision)},
            {"majority", rounded(quality.majority)},
            {"calibration_error", rounded(quality.calibration_error)},
            {"curve", std::move(curve)}};
}

json::Object card_json(const ClassifierCard& card) {
    return {{"category", card.category},
            {"trained", card.trained},
            {"data", card.data},
            {"wanted", card.wanted},
            {"samples", card.samples},
            {"positives", card.positives},
            {"held_out", quality_json(card.held_out)}};
}

double Classifier::score(std::string_view text) const {
    const std::vector<std::uint32_t> buckets = internal::ngram_buckets(text);
    if (buckets.empty()) {
        return 0;
    }
    double sum = 0;
    for (const std::uint32_t bucket : buckets) {
        sum += weights_[bucket];
    }
    const double margin = sum / std::sqrt(static_cast<double>(buckets.size())) + bias_;
    return logistic(slope_ * margin + offset_);
}

Buffer Classifier::write() const {
    json::Object header = card_json(card_);
    header.emplace_back("bits", static_cast<std::uint64_t>(kClassifierBits));
    header.emplace_back("bias", bias_);
    header.emplace_back("slope", slope_);
    header.emplace_back("offset", offset_);
    Buffer file = to_buffer(kMagic);
    append(file, as_bytes(json::write(header) + "\n"));
    for (const float weight : weights_) {
        const auto bits = std::bit_cast<std::uint32_t>(weight);
        for (unsigned shift = 0; shift < 32; shift += 8) {
            file.push_back(static_cast<std::uint8_t>(bits >> shift & 0xffU));
        }
    }
    append(file, sha256(file));
    return file;
}

void Classifier::name() {
    version_ = "classifier-" + to_hex(sha256(write())).substr(0, 12);
}

Result<Classifier> Classifier::parse(Bytes file) {
    constexpr std::size_t kDigestBytes = 32;
    if (!as_text(file).starts_with(kMagic) || file.size() < kMagic.size() + kDigestBytes) {
        return Error{ErrorCode::kUnsupported, "the file is no classifier of this version"};
    }
    const Bytes body = file.first(file.size() - kDigestBytes);
    if (!std::ranges::equal(sha256(body), file.last(kDigestBytes))) {
        return corrupt("its digest is another: it was changed or cut");
    }
    const std::string_view rest = as_text(body.subspan(kMagic.size()));
    const std::size_t end = rest.substr(0, kHeaderBytesMax).find('\n');
    if (end == std::string_view::npos || rest.size() != end + 1 + kBuckets * sizeof(float)) {
        return corrupt("it has another size");
    }
    const json::Value header =
        TRY(json::parse(rest.substr(0, end), {.bytes_max = kHeaderBytesMax}));
    Classifier model;
    model.card_.category = header.string_or("category", "");
    model.card_.trained = header.string_or("trained", "");
    model.card_.data = header.string_or("data", "");
    model.card_.wanted = TRY(number_of(header, "wanted"));
    model.card_.samples = TRY(count_of(header, "samples"));
    model.card_.positives = TRY(count_of(header, "positives"));
    model.card_.held_out = TRY(read_quality(header.find("held_out")));
    model.bias_ = TRY(number_of(header, "bias"));
    model.slope_ = TRY(number_of(header, "slope"));
    model.offset_ = TRY(number_of(header, "offset"));
    if (TRY(count_of(header, "bits")) != kClassifierBits || model.card_.category.empty()) {
        return corrupt("its header is another");
    }
    const Bytes weights = body.last(kBuckets * sizeof(float));
    model.weights_.reserve(kBuckets);
    for (std::size_t at = 0; at < weights.size(); at += 4) {
        const std::uint32_t bits = static_cast<std::uint32_t>(weights[at]) |
                                   static_cast<std::uint32_t>(weights[at + 1]) << 8U |
                                   static_cast<std::uint32_t>(weights[at + 2]) << 16U |
                                   static_cast<std::uint32_t>(weights[at + 3]) << 24U;
        const auto weight = std::bit_cast<float>(bits);
        if (!std::isfinite(weight)) {
            return corrupt("a weight is no number");
        }
        model.weights_.push_back(weight);
    }
    model.name();
    return model;
}

}  // namespace colophon::review

// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small classifier of texts [DSP-10]: a linear model over hashed n-grams of characters (weights
// by the ratio of their counts, then logistic regression: Wang and Manning, "Baselines and
// Bigrams", 2012), calibrated on texts that it was not trained on (Platt, 1999). It learns from
// what people decided, runs in microseconds, and says how good it is.

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

inline constexpr unsigned kClassifierBits = 19;  // 2^19 buckets
inline constexpr std::size_t kClassifierSamplesLeast = 200;
inline constexpr std::size_t kClassifierSamplesMax = 5'000'000;
inline constexpr std::size_t kClassifierTextMax =
    10'000;  // characters of a text that are looked at

struct Sample {
    std::string text;
    bool positive = false;
};

// How good a model is on some texts.
struct Quality {
    std::uint64_t samples = 0;
    std::uint64_t positives = 0;
    double threshold = 0;
    double precision = 0;  // at the threshold; 0 when nothing is above it
    double recall = 0;
    double accuracy = 0;
    double average_precision = 0;  // area under the curve of precision over recall
    double majority = 0;           // accuracy of whoever always says what is more frequent
    double calibration_error = 0;  // mean distance of score and share of positives, in ten bins
    struct Point {
        double threshold = 0;
        double precision = 0;
        double recall = 0;
    };
    std::vector<Point> curve;  // recall 0.05, 0.10, ... as far as it is reached
};
json::Object quality_json(const Quality& quality);

struct ClassifierCard {
    std::string category;  // what a text above the threshold is
    std::string trained;   // when
    std::string data;      // SHA-256 of the list that it learned from
    double wanted = 0;     // precision for which the threshold was set
    std::uint64_t samples = 0;
    std::uint64_t positives = 0;
    Quality held_out;  // on texts that it did not learn from
};
json::Object card_json(const ClassifierCard& card);

class Classifier {
public:
    // kCorrupt, kUnsupported: bytes that are no model, or one of another version.
    static Result<Classifier> parse(Bytes file);
    Buffer write() const;

    // How likely the text is positive, 0 to 1.
    double score(std::string_view text) const;
    double threshold() const noexcept { return card_.held_out.threshold; }
    bool hits(std::string_view text) const { return score(text) >= threshold(); }
    const ClassifierCard& card() const noexcept { return card_; }
    // "classifier-" and 12 digits of what it is.
    const std::string& version() const noexcept { return version_; }

private:
    friend class ClassifierTraining;
    Classifier() = default;
    void name();

    ClassifierCard card_;
    std::vector<float> weights_;
    double bias_ = 0;
    double slope_ = 1;  // of the calibration
    double offset_ = 0;
    std::string version_;
};

struct TrainOptions {
    std::string category;
    double precision = 0.9;  // wanted; 0.5 to 0.999
    std::string trained;     // the time
    std::string data;        // SHA-256 of the list
};
// The same texts in the same order, the same model. A fifth of the texts is held out.
// kInvalidArgument: fewer than kClassifierSamplesLeast texts, or fewer than 20 of either kind;
// kLimit: too many. kConflict: no threshold reaches the wanted precision.
Result<Classifier> train_classifier(std::span<const Sample> samples, const TrainOptions& options);

Quality measure(const Classifier& classifier, std::span<const Sample> samples);

}  // namespace colophon::review

// SPDX-License-Identifier: Apache-2.0
// How a classifier learns, and how its worth is measured.
#include "core/result.h"
#include "review/classifier.h"
#include "review/internal/ngrams.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::size_t kBuckets = std::size_t{1} << kClassifierBits;
constexpr std::size_t kEachLeast = 20;
constexpr std::size_t kHeldOutEach = 5;  // every fifth text is held out
constexpr int kRounds = 12;
constexpr double kRate = 0.5;
constexpr double kShrink = 1e-4;
constexpr double kSmoothing = 1.0;
constexpr std::size_t kAboveLeast = 20;  // texts above a threshold that it may be judged by

double logistic(double value) {
    return 1.0 / (1.0 + std::exp(-value));
}

struct Example {
    std::vector<std::uint32_t> buckets;
    double scale = 0;
    bool positive = false;
};

// Numbers that are the same on every machine (xorshift64*, Vigna 2016).
class Shuffler {
public:
    void shuffle(std::vector<std::size_t>& order) {
        for (std::size_t i = order.size(); i > 1; --i) {
            std::swap(order[i - 1], order[static_cast<std::size_t>(next() % i)]);
        }
    }

private:
    std::uint64_t next() {
        state_ ^= state_ >> 12U;
        state_ ^= state_ << 25U;
        state_ ^= state_ >> 27U;
        return state_ * 0x2545f4914f6cdd1dULL >> 11U;
    }
    std::uint64_t state_ = 0x9e3779b97f4a7c15ULL;
};

struct Scored {
    double score = 0;
    bool positive = false;
};

// Of texts in the order of falling scores: precision and recall at each place where the score
// changes.
std::vector<Quality::Point> curve_of(std::span<const Scored> scored, std::uint64_t positives) {
    std::vector<Quality::Point> points;
    std::uint64_t hits = 0;
    for (std::size_t i = 0; i < scored.size(); ++i) {
        hits += scored[i].positive ? 1U : 0U;
        if (i + 1 == scored.size() || scored[i + 1].score < scored[i].score) {
            points.push_back(
                {.threshold = scored[i].score,
                 .precision = static_cast<double>(hits) / static_cast<double>(i + 1),
                 .recall = static_cast<double>(hits) / static_cast<double>(positives)});
        }
    }
    return points;
}

double calibration_error(std::span<const Scored> scored) {
    struct Bin {
        double scores = 0;
        double positives = 0;
        double count = 0;
    };
    std::array<Bin, 10> bins;
    for (const Scored& each : scored) {
        Bin& bin = bins[std::min<std::size_t>(9, static_cast<std::size_t>(each.score * 10))];
        bin.scores += each.score;
        bin.positives += each.positive ? 1 : 0;
        bin.count += 1;
    }
    double error = 0;
    for (const Bin& bin : bins) {
        error += std::abs(bin.scores - bin.positives);
    }
    return error / static_cast<double>(scored.size());
}

Quality quality_of(std::vector<Scored> scored, double threshold) {
    std::ranges::sort(scored, std::greater<>{}, &Scored::score);
    Quality quality;
    quality.samples = scored.size();
    quality.positives =
        static_cast<std::uint64_t>(std::ranges::count(scored, true, &Scored::positive));
    quality.threshold = threshold;
    if (scored.empty()) {
        return quality;
    }
    const auto all = static_cast<double>(scored.size());
    const auto positives = static_cast<double>(quality.positives);
    quality.majority = std::max(positives, all - positives) / all;
    quality.calibration_error = calibration_error(scored);
    double above = 0;
    double right_above = 0;
    for (const Scored& each : scored) {
        if (each.score >= threshold) {
            above += 1;
            right_above += each.positive ? 1 : 0;
        }
    }
    quality.accuracy = (right_above + (all - above) - (positives - right_above)) / all;
    quality.precision = above == 0 ? 0 : right_above / above;
    quality.recall = positives == 0 ? 0 : right_above / positives;
    if (quality.positives == 0) {
        return quality;
    }
    double recall_before = 0;
    double next_mark = 0.05;
    for (const Quality::Point& point : curve_of(scored, quality.positives)) {
        quality.average_precision += point.precision * (point.recall - recall_before);
        recall_before = point.recall;
        if (point.recall >= next_mark - 1e-9) {
            quality.curve.push_back(point);
            next_mark = (std::floor(point.recall * 20 + 1e-9) + 1) / 20;
        }
    }
    return quality;
}

}  // namespace

class ClassifierTraining {
public:
    ClassifierTraining(std::span<const Sample> samples, const TrainOptions& options)
        : samples_(samples), options_(options) {}

    Result<Classifier> run() {
        for (std::size_t i = 0; i < samples_.size(); ++i) {
            Example example{.buckets = internal::ngram_buckets(samples_[i].text),
                            .scale = 0,
                            .positive = samples_[i].positive};
            if (example.buckets.empty()) {
                continue;
            }
            example.scale = 1.0 / std::sqrt(static_cast<double>(example.buckets.size()));
            (i % kHeldOutEach == kHeldOutEach - 1 ? held_ : learned_).push_back(std::move(example));
        }
        weigh_ratios();
        learn();
        calibrate();
        TRY(set_threshold());
        for (std::size_t i = 0; i < kBuckets; ++i) {
            model_.weights_[i] *= ratios_[i];
        }
        model_.name();
        return std::move(model_);
    }

private:
    // How much more often a bucket is in positive texts, as a logarithm.
    void weigh_ratios() {
        std::vector<double> in_positive(kBuckets, kSmoothing);
        std::vector<double> in_negative(kBuckets, kSmoothing);
        double positive = 0;
        double negative = 0;
        for (const Example& example : learned_) {
            std::vector<double>& counts = example.positive ? in_positive : in_negative;
            (example.positive ? positive : negative) += static_cast<double>(example.buckets.size());
            for (const std::uint32_t bucket : example.buckets) {
                counts[bucket] += 1;
            }
        }
        positive += kSmoothing * static_cast<double>(kBuckets);
        negative += kSmoothing * static_cast<double>(kBuckets);
        ratios_.resize(kBuckets);
        for (std::size_t i = 0; i < kBuckets; ++i) {
            ratios_[i] = in_positive[i] + in_negative[i] == 2 * kSmoothing
                             ? 0.0F
                             : static_cast<float>(std::log((in_positive[i] / positive) /
                                                           (in_negative[i] / negative)));
        }
    }

    double margin(const Example& example) const {
        double sum = 0;
        for (const std::uint32_t bucket : example.buckets) {
            sum += static_cast<double>(model_.weights_[bucket]) * ratios_[bucket];
        }
        return sum * example.scale + model_.bias_;
    }

    // Logistic regression by gradient steps of their own size for each weight (AdaGrad: Duchi and
    // others, 2011).
    void learn() {
        model_.weights_.assign(kBuckets, 0.0F);
        std::vector<float> squares(kBuckets, 1e-3F);
        double bias_squares = 1e-3;
        std::vector<std::size_t> order(learned_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        Shuffler shuffler;
        for (int round = 0; round < kRounds; ++round) {
            shuffler.shuffle(order);
            for (const std::size_t index : order) {
                const Example& example = learned_[index];
                const double error = logistic(margin(example)) - (example.positive ? 1.0 : 0.0);
                bias_squares += error * error;
                model_.bias_ -= kRate * error / std::sqrt(bias_squares);
                for (const std::uint32_t bucket : example.buckets) {
                    const double gradient = error * example.scale * ratios_[bucket] +
                                            kShrink * static_cast<double>(model_.weights_[bucket]);
                    squares[bucket] += static_cast<float>(gradient * gradient);
                    model_.weights_[bucket] -= static_cast<float>(
                        kRate * gradient / std::sqrt(static_cast<double>(squares[bucket])));
                }
            }
        }
    }

    // Slope and offset that make of margins the share of positives among the texts held out.
    void calibrate() {
        double positives = 0;
        for (const Example& example : held_) {
            positives += example.positive ? 1 : 0;
        }
        const auto all = static_cast<double>(held_.size());
        const double high = (positives + 1) / (positives + 2);
        const double low = 1 / (all - positives + 2);
        double slope = 1;
        double offset = 0;
        constexpr int kSteps = 2000;
        for (int step = 0; step < kSteps; ++step) {
            double slope_gradient = 0;
            double offset_gradient = 0;
            for (const Example& example : held_) {
                const double value = margin_cache(example);
                const double error =
                    logistic(slope * value + offset) - (example.positive ? high : low);
                slope_gradient += error * value;
                offset_gradient += error;
            }
            slope -= 0.5 * slope_gradient / all;
            offset -= 0.5 * offset_gradient / all;
        }
        model_.slope_ = slope;
        model_.offset_ = offset;
    }

    double margin_cache(const Example& example) {
        if (margins_.empty()) {
            for (const Example& each : held_) {
                margins_.push_back(margin(each));
            }
        }
        return margins_[static_cast<std::size_t>(&example - held_.data())];
    }

    // Where most is found with the wanted precision.
    Result<void> set_threshold() {
        std::vector<Scored> scored;
        scored.reserve(held_.size());
        for (const Example& example : held_) {
            scored.push_back({logistic(model_.slope_ * margin_cache(example) + model_.offset_),
                              example.positive});
        }
        std::ranges::sort(scored, std::greater<>{}, &Scored::score);
        const auto positives =
            static_cast<std::uint64_t>(std::ranges::count(scored, true, &Scored::positive));
        double threshold = 2;
        double recall = 0;
        for (const Quality::Point& point : curve_of(scored, positives)) {
            const double above = point.recall * static_cast<double>(positives) / point.precision;
            // No lower than anything is gained by it.
            if (point.precision >= options_.precision && point.recall > recall &&
                above >= static_cast<double>(kAboveLeast)) {
                threshold = point.threshold;
                recall = point.recall;
            }
        }
        if (threshold > 1) {
            return Error{ErrorCode::kConflict,
                         fmt::format("no threshold reaches a precision of {}: it needs other or "
                                     "more texts, or a lower aim",
                                     options_.precision)};
        }
        // Half way to the next text below: as far from either side as these texts allow.
        const auto below = std::ranges::find_if(
            scored, [&](const Scored& each) { return each.score < threshold; });
        if (below != scored.end()) {
            threshold = (threshold + below->score) / 2;
        }
        model_.card_ = {.category = options_.category,
                        .trained = options_.trained,
                        .data = options_.data,
                        .wanted = options_.precision,
                        .samples = learned_.size(),
                        .positives = static_cast<std::uint64_t>(
                            std::ranges::count(learned_, true, &Example::positive)),
                        .held_out = quality_of(std::move(scored), threshold)};
        return {};
    }

    std::span<const Sample> samples_;
    const TrainOptions& options_;
    std::vector<Example> learned_;
    std::vector<Example> held_;
    std::vector<float> ratios_;
    std::vector<double> margins_;
    Classifier model_;
};

Result<Classifier> train_classifier(std::span<const Sample> samples, const TrainOptions& options) {
    const auto positives =
        static_cast<std::size_t>(std::ranges::count(samples, true, &Sample::positive));
    if (samples.size() > kClassifierSamplesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a classifier learns from at most {} texts",
                                                    kClassifierSamplesMax)};
    }
    if (samples.size() < kClassifierSamplesLeast || positives < kEachLeast ||
        samples.size() - positives < kEachLeast) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a classifier learns from at least {} texts, {} of either kind",
                                 kClassifierSamplesLeast, kEachLeast)};
    }
    if (options.category.empty() || !(options.precision >= 0.5 && options.precision <= 0.999)) {
        return Error{ErrorCode::kInvalidArgument,
                     "a classifier has a category, and a precision of 0.5 to 0.999 to reach"};
    }
    return ClassifierTraining(samples, options).run();
}

Quality measure(const Classifier& classifier, std::span<const Sample> samples) {
    std::vector<Scored> scored;
    scored.reserve(samples.size());
    for (const Sample& sample : samples) {
        scored.push_back({classifier.score(sample.text), sample.positive});
    }
    return quality_of(std::move(scored), classifier.threshold());
}

}  // namespace colophon::review

// SPDX-License-Identifier: Apache-2.0
// colophon library train, measure: a classifier of texts from labelled texts, and its worth on
// others [DSP-10]. Offline: no store, no record.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/library_verbs.h"
#include "cli/review_files.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "review/classifier.h"
#include "review/labelled_texts.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

namespace colophon::cli {
namespace {

struct Arguments {
    std::string data;
    std::string text_column = "text";
    std::string label_column = "label";
    std::string positive = "1";
    std::string category;
    std::string model;
    double precision = 0.9;
    bool json = false;
};

std::string quality_text(const review::Quality& quality) {
    std::string text = fmt::format(
        "  {:<12}{} ({})\n  {:<12}{:.3f}\n  {:<12}{:.3f}\n  {:<12}{:.3f} ({} {:.3f})\n"
        "  {:<12}{:.3f}\n  {:<12}{:.3f}\n",
        tr("texts", "文本"), quality.samples,
        fmt::format(fmt::runtime(std::string(tr("{} positive", "{} 个正例"))), quality.positives),
        tr("precision", "精确率"), quality.precision, tr("recall", "召回率"), quality.recall,
        tr("accuracy", "准确率"), quality.accuracy, tr("majority", "多数基线"), quality.majority,
        tr("average", "平均精确率"), quality.average_precision, tr("calibration", "校准误差"),
        quality.calibration_error);
    text += fmt::format("  {:>8} {:>10} {:>10}\n", tr("recall", "召回率"),
                        tr("precision", "精确率"), tr("threshold", "阈值"));
    for (const review::Quality::Point& point : quality.curve) {
        text += fmt::format("  {:>8.3f} {:>10.3f} {:>10.3f}\n", point.recall, point.precision,
                            point.threshold);
    }
    return text;
}

Result<std::vector<review::Sample>> read_samples(const Arguments& arguments,
                                                 const std::string& text) {
    auto samples = review::read_labelled_texts(
        text, {arguments.text_column, arguments.label_column, arguments.positive});
    if (!samples.ok()) {
        return with_context(samples.error(), arguments.data);
    }
    return samples;
}

Result<void> run_train(const Arguments& arguments) {
    const std::string text = TRY(read_small_file(arguments.data, review::kLabelledBytesMax));
    const std::vector<review::Sample> samples = TRY(read_samples(arguments, text));
    SystemClock clock;
    const review::Classifier model =
        TRY(review::train_classifier(samples, {.category = arguments.category,
                                               .precision = arguments.precision,
                                               .trained = format_time(clock.now()),
                                               .data = to_hex(sha256(as_bytes(text)))}));
    OutputFile out = TRY(OutputFile::create(arguments.model));
    const Buffer file = model.write();
    if (!write_text(out.descriptor(), as_text(file))) {
        return Error{ErrorCode::kUnavailable, arguments.model + " cannot be written"};
    }
    TRY(out.commit());
    if (arguments.json) {
        write_text(1, json::write(review::card_json(model.card())) + "\n");
        return {};
    }
    write_text(1, fmt::format("{}: {}, {} {}\n{}:\n{}", printable(arguments.model),
                              printable(model.version()), tr("learned from", "训练文本数"),
                              model.card().samples,
                              tr("on texts that it did not learn from", "在未参与训练的文本上"),
                              quality_text(model.card().held_out)));
    return {};
}

Result<void> run_measure(const Arguments& arguments) {
    const auto model = TRY(read_classifier(arguments.model));
    const std::string text = TRY(read_small_file(arguments.data, review::kLabelledBytesMax));
    const std::vector<review::Sample> samples = TRY(read_samples(arguments, text));
    const review::Quality quality = review::measure(*model, samples);
    write_text(1, arguments.json
                      ? json::write(review::quality_json(quality)) + "\n"
                      : fmt::format("{}:\n{}", printable(model->version()), quality_text(quality)));
    return {};
}

void add_data_options(CLI::App& verb, Arguments& arguments) {
    verb.add_option("FILE", arguments.data,
                    std::string(tr("labelled texts, a table (CSV)", "已标注的文本（CSV 表）")))
        ->required();
    verb.add_option(
        "--text-column", arguments.text_column,
        std::string(tr("name of the column of texts; default text", "文本列的列名，默认 text")));
    verb.add_option(
        "--label-column", arguments.label_column,
        std::string(tr("name of the column of labels; default label", "标注列的列名，默认 label")));
    verb.add_option("--positive", arguments.positive,
                    std::string(tr("what stands there for a text that is meant; default 1",
                                   "表示正例的值，默认 1")));
    verb.add_flag("--json", arguments.json,
                  std::string(tr("JSON, one object a line", "输出 JSON，每行一个对象")));
    verb.set_help_flag("-h,--help", std::string(tr("show this help", "显示帮助")));
}

}  // namespace

void add_library_train_verbs(CLI::App& library, Action& action) {
    auto training = std::make_shared<Arguments>();
    CLI::App* train = library.add_subcommand(
        "train",
        std::string(tr("learn a classifier from labelled texts", "用已标注的文本训练分类器")));
    add_data_options(*train, *training);
    train
        ->add_option("--category", training->category,
                     std::string(tr("the risk that it finds", "它识别的风险类别")))
        ->required();
    train->add_option("--precision", training->precision,
                      std::string(tr("how many of its hits are to be right: 0.5 to 0.999; "
                                     "default 0.9",
                                     "命中的目标精确率：0.5 至 0.999；默认 0.9")));
    train
        ->add_option("-o,--output", training->model,
                     std::string(tr("file of the model", "模型文件")))
        ->required();
    set_admin_action(*train, action, [training] { return run_train(*training); });

    auto measuring = std::make_shared<Arguments>();
    CLI::App* measure = library.add_subcommand(
        "measure", std::string(tr("what a classifier is worth on labelled texts",
                                  "在已标注的文本上评估分类器")));
    add_data_options(*measure, *measuring);
    measure
        ->add_option("--classifier", measuring->model,
                     std::string(tr("file of the model", "模型文件")))
        ->required();
    set_admin_action(*measure, action, [measuring] { return run_measure(*measuring); });
}

}  // namespace colophon::cli

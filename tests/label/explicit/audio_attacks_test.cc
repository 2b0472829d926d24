// SPDX-License-Identifier: Apache-2.0
// What happens to marked sound on its way through the world, and sound without a mark.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/explicit/internal/rhythm.h"
#include "label/explicit/internal/spoken_find.h"
#include "label/explicit/sounds.h"
#include "label/format.h"
#include "media/audio.h"
#include "media/speech.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

namespace colophon::label {
namespace {

using test::run_tool_ok;
using test::TempDir;

TEST_SUITE("slow attacks") {
    struct Attack {
        std::string name;
        Words filter;     // FFmpeg output options
        std::string via;  // the format in between
    };
    const std::vector<Attack> kAttacks{
        {"clean", {}, "wav"},
        {"MP3 64", {"-b:a", "64k"}, "mp3"},
        {"Opus 24", {"-b:a", "24k"}, "opus"},
        {"Opus 16", {"-b:a", "16k"}, "opus"},
        {"G.711", {"-ar", "8000", "-c:a", "pcm_mulaw"}, "wav"},
        {"noise 20 dB", {"-af", "NOISE20"}, "wav"},
        {"noise 10 dB", {"-af", "NOISE10"}, "wav"},
        {"speed +2 %", {"-af", "asetrate=48000*1.02,aresample=48000"}, "wav"},
        {"tempo +2 %", {"-af", "atempo=1.02"}, "wav"},
        {"low-pass 4 k", {"-af", "lowpass=f=4000"}, "wav"},
        {"echo", {"-af", "aecho=0.8:0.8:60|120:0.4|0.25"}, "wav"},
        {"-12 dB", {"-af", "volume=-12dB"}, "wav"},
    };

    // Speech (two languages), chords, noise with a beat, and a sweep.
    std::vector<Words> contents(const TempDir& dir) {
        run_tool_ok({"espeak-ng", "-v", "cmn", "-w", dir.file("c.wav"),
                     "今天天气很好，我们一起去公园散步，看看花，听听鸟叫，然后回家吃饭。"});
        run_tool_ok(
            {"espeak-ng", "-v", "en", "-w", dir.file("e.wav"),
             "The weather is fine today. Let us walk in the park and look at the flowers."});
        return {{"-i", dir.file("c.wav")},
                {"-i", dir.file("e.wav")},
                {"-f", "lavfi", "-i",
                 "aevalsrc=0.1*(sin(2*PI*261.6*t)+sin(2*PI*329.6*t)+sin(2*PI*392*t))*"
                 "(0.6+0.4*sin(2*PI*2*t)):d=6:s=48000"},
                programme(48000, 1, 6),
                {"-f", "lavfi", "-i", "aevalsrc=0.3*sin(2*PI*(200*t+60*t*t)):d=8:s=48000"}};
    }

    // FFmpeg's options for an attack on a sound of one channel.
    Words attack_options(const Attack& attack, double rms) {
        Words options = attack.filter;
        for (std::string& option : options) {
            if (option.starts_with("NOISE")) {
                const double noise = rms * std::pow(10.0, -std::atof(option.c_str() + 5) / 20);
                // White noise, uniform: its level is the amplitude over the root of three.
                option = fmt::format("aeval=val(0)+{}*(2*random(0)-1)", noise * std::sqrt(3.0));
            }
        }
        return options;
    }

    double rms_of(Bytes file) {
        const auto pcm = media::decode_head(file, media::AudioContainer::kWav, 60);
        double energy = 0;
        for (const float sample : pcm->planes[0]) {
            energy += static_cast<double>(sample) * static_cast<double>(sample);
        }
        return std::sqrt(energy / static_cast<double>(pcm->samples()));
    }

    struct Reached {
        std::size_t rhythms = 0;
        std::size_t words = 0;
        double worst = 1;  // score of words
    };

    double words_score(Bytes file, Format format, const media::Pcm& voice) {
        const auto container = format == Format::kMp3    ? media::AudioContainer::kMp3
                               : format == Format::kOpus ? media::AudioContainer::kOgg
                                                         : media::AudioContainer::kWav;
        const auto pcm = media::resample(media::decode_head(file, container, 20).value(), 8000);
        return internal::best_spoken(pcm->planes[0], voice.planes[0])->score;
    }

    // [GB45438-5.3] "clearly distinguishable", also after the usual ways of sound through the
    // world.
    TEST_CASE("rhythm and words are found after coding, noise, tempo, filters, echo and level") {
        const TempDir dir;
        const SpokenPrompt prompt = say("本内容由人工智能生成");
        const auto voice = media::resample(
            {.rate = prompt.rate, .channel_mask = media::kFrontCentre, .planes = {prompt.samples}},
            8000);
        const auto inputs = contents(dir);
        std::vector<Reached> reached(kAttacks.size());
        for (const Words& input : inputs) {
            const Buffer file = make(dir, input, {"-ar", "48000", "-ac", "1"}, "in.wav");
            for (const bool is_words : {false, true}) {
                const SoundMark mark =
                    is_words ? spoken(prompt, SoundPlace::kStart) : rhythm(SoundPlace::kStart);
                const Buffer marked = apply_splice(file, mark_ok(file, Format::kWav, mark).splice);
                test::write_file(dir.file("m.wav"), marked);
                Words argv{"ffmpeg", "-y", "-v", "error", "-i", dir.file("m.wav")};
                const double rms = rms_of(marked);
                for (std::size_t i = 0; i < kAttacks.size(); ++i) {
                    const Words options = attack_options(kAttacks[i], rms);
                    argv.insert(argv.end(), options.begin(), options.end());
                    argv.push_back(dir.file(fmt::format("{}.{}", i, kAttacks[i].via)));
                }
                run_tool_ok(argv);
                for (std::size_t i = 0; i < kAttacks.size(); ++i) {
                    const std::string& via = kAttacks[i].via;
                    const Buffer attacked = test::read_file(dir.file(fmt::format("{}.{}", i, via)));
                    const Format format = via == "mp3"    ? Format::kMp3
                                          : via == "opus" ? Format::kOpus
                                                          : Format::kWav;
                    const auto reading = find_ok(attacked, format, {prompt});
                    const bool ok = reading.where == "start" &&
                                    reading.text == (is_words ? prompt.text : std::string("AI"));
                    (is_words ? reached[i].words : reached[i].rhythms) += ok ? 1U : 0U;
                    if (is_words) {
                        reached[i].worst =
                            std::min(reached[i].worst, words_score(attacked, format, *voice));
                    }
                }
            }
        }
        for (std::size_t i = 0; i < kAttacks.size(); ++i) {
            MESSAGE(kAttacks[i].name, ": rhythm ", reached[i].rhythms, "/", inputs.size(),
                    ", words ", reached[i].words, "/", inputs.size(), ", lowest score ",
                    reached[i].worst);
            CHECK(reached[i].rhythms == inputs.size());
            CHECK(reached[i].words == inputs.size());
        }
    }

    TEST_CASE("speech, chords and noise without a mark raise no alarm") {
        const TempDir dir;
        const std::vector<SpokenPrompt> prompts{
            say("本内容由人工智能生成"), say("AI生成"),
            say("This audio was generated by artificial intelligence",
                media::SpeechLanguage::kEnglish)};
        std::vector<Words> inputs = contents(dir);
        const std::vector<std::string> texts{
            "人工智能正在改变我们的生活。这份报告由三位作者写成，内容很丰富，请各位老师批评指正。",
            "本内容来自公开资料，由编辑部整理，仅供参考。以下内容由本台记者采写。",
            "Artificial intelligence changes our lives. This report was written by three authors.",
            "This audio was recorded in a small room and edited by hand over many evenings."};
        for (std::size_t i = 0; i < texts.size(); ++i) {
            for (const std::string voice : {"cmn", "en", "en+f3"}) {
                const std::string path = dir.file(fmt::format("t{}{}.wav", i, voice));
                run_tool_ok({"espeak-ng", "-v", voice, "-w", path, texts[i]});
                inputs.push_back({"-i", path});
            }
        }
        for (const int seed : {1, 2, 3, 4}) {
            inputs.push_back(
                {"-f", "lavfi", "-i", fmt::format("anoisesrc=c=pink:d=30:seed={}:a=0.3", seed)});
            // A melody of beeps of a tenth of a second, up and down, as telephones make.
            inputs.push_back({"-f", "lavfi", "-i",
                              fmt::format("aevalsrc=0.3*sin(2*PI*(500+100*floor(mod({}*t\\,9)))*t)*"
                                          "gt(mod(t*{}\\,1)\\,0.4):d=30:s=48000",
                                          seed, 2 + seed)});
        }
        std::vector<std::vector<float>> voices;
        for (const SpokenPrompt& prompt : prompts) {
            voices.push_back(media::resample({.rate = prompt.rate,
                                              .channel_mask = media::kFrontCentre,
                                              .planes = {prompt.samples}},
                                             8000)
                                 ->planes[0]);
        }
        std::vector<Making> makings;
        for (const Words& input : inputs) {
            makings.push_back(
                {input, {"-ar", "48000", "-ac", "1"}, fmt::format("in{}.wav", makings.size())});
        }
        make_all(dir, makings);
        double seconds = 0;
        double worst = -1;
        std::size_t alarms = 0;
        for (const Making& making : makings) {
            const Buffer file = test::read_file(dir.file(making.name));
            const auto pcm = media::resample(
                media::decode_head(file, media::AudioContainer::kWav, 60).value(), 8000);
            seconds += pcm->seconds();
            alarms += internal::find_rhythm(pcm->planes[0], 8000).size();
            for (std::size_t i = 0; i < prompts.size(); ++i) {
                const auto best = internal::best_spoken(pcm->planes[0], voices[i]);
                if (best) {
                    worst = std::max(worst, best->score);
                    if (best->score > 0.5) {
                        MESSAGE(prompts[i].text, " scores ", best->score, " in ",
                                making.input.back());
                    }
                }
            }
            CHECK(!find_ok(file, Format::kWav, prompts).found);
        }
        MESSAGE(seconds, " s without a mark: ", alarms, " rhythms, highest prompt score ", worst);
        CHECK(alarms == 0);
    }
}

}  // namespace
}  // namespace colophon::label

// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/s3_xml.h"

#include "core/bytes.h"
#include "core/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kEntityBytesMax = 10;  // "&#x10FFFF;"

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    return first == std::string_view::npos
               ? std::string_view()
               : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<XmlElement> parse() {
        while (at_ < text_.size()) {
            TRY(step());
        }
        if (open_.size() != 1 || open_.front().children.empty()) {
            return corrupt_at("the document ends within an element", at_);
        }
        return std::move(open_.front().children.front());
    }

private:
    // What stands at `at_`: text up to the next '<', or one piece of markup.
    Result<void> step() {
        if (text_[at_] != '<') {
            const std::size_t end = std::min(text_.find('<', at_), text_.size());
            TRY(add_text(text_.substr(at_, end - at_)));
            at_ = end;
            return {};
        }
        const std::string_view rest = text_.substr(at_);
        if (rest.starts_with("<!--")) {
            return pass(4, "-->");
        }
        if (rest.starts_with("<![CDATA[")) {
            const std::size_t from = at_ + 9;
            TRY(pass(9, "]]>"));
            return add_literally(text_.substr(from, at_ - 3 - from));
        }
        if (rest.starts_with("<?")) {
            return pass(2, "?>");
        }
        if (rest.starts_with("<!")) {
            return corrupt_at("a declaration, which no answer of a store has,", at_);
        }
        return rest.starts_with("</") ? close() : open();
    }

    Result<void> pass(std::size_t start, std::string_view end) {
        const std::size_t found = text_.find(end, at_ + start);
        if (found == std::string_view::npos) {
            return corrupt_at(fmt::format("no {} for what begins", end), at_);
        }
        at_ = found + end.size();
        return {};
    }

    Result<std::string_view> name(std::size_t from) {
        const std::size_t end = std::min(text_.find_first_of(" \t\r\n/>", from), text_.size());
        std::string_view found = text_.substr(from, end - from);
        if (found.empty() || found.find_first_of("<&\"'=") != std::string_view::npos) {
            return corrupt_at("no name of an element", from);
        }
        found.remove_prefix(found.find_last_of(':') + 1);  // npos + 1 is 0
        return found;
    }

    // The '>' of the tag whose '<' stands at `from`, outside of the quotes of its attributes.
    Result<std::size_t> tag_end(std::size_t from) {
        char quote = 0;
        for (std::size_t i = from + 1; i < text_.size(); ++i) {
            const char c = text_[i];
            if (quote != 0) {
                quote = c == quote ? '\0' : quote;
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (c == '>') {
                return i;
            } else if (c == '<') {
                break;
            }
        }
        return corrupt_at("a tag without an end", at_);
    }

    Result<void> open() {
        if (open_.size() > kS3XmlDepthMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("more than {} elements in each other", kS3XmlDepthMax)};
        }
        if (++elements_ > kS3XmlElementsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("more than {} elements", kS3XmlElementsMax)};
        }
        if (open_.size() == 1 && !open_.front().children.empty()) {
            return corrupt_at("a second document", at_);
        }
        XmlElement element;
        element.name = TRY(name(at_ + 1));
        const std::size_t end = TRY(tag_end(at_));
        const bool empty = text_[end - 1] == '/';
        at_ = end + 1;
        if (empty) {
            open_.back().children.push_back(std::move(element));
        } else {
            open_.push_back(std::move(element));
        }
        return {};
    }

    Result<void> close() {
        const std::string_view closed = TRY(name(at_ + 2));
        if (open_.size() == 1 || open_.back().name != closed) {
            return corrupt_at("the end of an element that is not open", at_);
        }
        at_ = TRY(tag_end(at_)) + 1;
        XmlElement element = std::move(open_.back());
        open_.pop_back();
        element.text = trimmed(element.text);
        open_.back().children.push_back(std::move(element));
        return {};
    }

    Result<void> add_literally(std::string_view part) {
        if (open_.size() == 1) {
            return corrupt_at("text outside of the document", at_);
        }
        open_.back().text += part;
        return {};
    }

    Result<void> add_text(std::string_view part) {
        if (open_.size() == 1) {
            return trimmed(part).empty() ? Result<void>() : add_literally(part);
        }
        while (!part.empty()) {
            const std::size_t entity = std::min(part.find('&'), part.size());
            open_.back().text += part.substr(0, entity);
            part.remove_prefix(entity);
            if (!part.empty()) {
                const std::size_t end = part.substr(0, kEntityBytesMax).find(';');
                if (end == std::string_view::npos || !add_entity(part.substr(1, end - 1))) {
                    return corrupt_at("an unknown entity in the text", at_);
                }
                part.remove_prefix(end + 1);
            }
        }
        return {};
    }

    bool add_entity(std::string_view entity) {
        constexpr std::array<std::pair<std::string_view, char>, 5> kNamed{
            {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};
        for (const auto& [named, character] : kNamed) {
            if (entity == named) {
                open_.back().text += character;
                return true;
            }
        }
        if (!entity.starts_with('#')) {
            return false;
        }
        const bool hexadecimal = entity.starts_with("#x");
        entity.remove_prefix(hexadecimal ? 2 : 1);
        std::uint32_t code = 0;
        const auto [end, error] = std::from_chars(entity.data(), entity.data() + entity.size(),
                                                  code, hexadecimal ? 16 : 10);
        if (error != std::errc() || end != entity.data() + entity.size() || code == 0 ||
            code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
            return false;
        }
        append_utf8(open_.back().text, static_cast<char32_t>(code));
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t elements_ = 0;
    std::vector<XmlElement> open_{1};  // the first holds the root
};

}  // namespace

const XmlElement* XmlElement::find(std::string_view child) const noexcept {
    for (const XmlElement& each : children) {
        if (each.name == child) {
            return &each;
        }
    }
    return nullptr;
}

std::string_view XmlElement::text_of(std::string_view child) const noexcept {
    const XmlElement* found = find(child);
    return found == nullptr ? std::string_view() : std::string_view(found->text);
}

Result<XmlElement> parse_s3_xml(std::string_view text) {
    if (text.size() > kS3XmlBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a document of {} bytes, at most {}",
                                                    text.size(), kS3XmlBytesMax)};
    }
    return Parser(text).parse();
}

}  // namespace colophon::storage

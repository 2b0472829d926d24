// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON written piece by piece, without a tree of values: for texts that are made with every call.
// What comes out is what json::write() makes of the same members in the same order.

#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::json {

// The text as a JSON string, with its quotes, as json::quote().
void append_quoted(std::string& out, std::string_view text);

class Writer {
public:
    // `out` outlives this; the writer puts its text behind what is there.
    explicit Writer(std::string& out) : out_(out) {}

    void begin_object() { begin('{'); }
    void end_object() { end('}'); }
    void begin_array() { begin('['); }
    void end_array() { end(']'); }
    // Of the next member of the object that is open.
    void name(std::string_view name) {
        separate();
        append_quoted(out_, name);
        out_ += ':';
        first_ = true;  // no comma before its value
    }
    void text(std::string_view text) {
        separate();
        append_quoted(out_, text);
    }
    void number(std::int64_t number);

private:
    void begin(char sign) {
        separate();
        out_ += sign;
        first_ = true;
    }
    void end(char sign) {
        out_ += sign;
        first_ = false;
    }
    void separate() {
        if (!first_) {
            out_ += ',';
        }
        first_ = false;
    }

    std::string& out_;
    bool first_ = true;  // nothing stands before the next value that a comma parts it from
};

}  // namespace colophon::json

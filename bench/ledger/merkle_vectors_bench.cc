// SPDX-License-Identifier: Apache-2.0
// merkle_vectors_bench FOLDER: runs the proof vectors of transparency-dev/merkle (testdata/, JSON
// files below inclusion/ and consistency/) through the writer's verification, the inclusion ones
// through the checker's too, and counts. Ends with 0 when all agree.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "ledger/merkle.h"
#include "ledger/verify/internal/hash.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {
namespace {

namespace fs = std::filesystem;

std::optional<Hash> hash_of(const json::Value* value) {
    const std::string* text = value == nullptr ? nullptr : value->if_string();
    const auto bytes = from_base64(text == nullptr ? "" : *text);
    if (!bytes.ok() || bytes->size() != sizeof(Hash)) {
        return std::nullopt;
    }
    Hash hash{};
    std::ranges::copy(*bytes, hash.begin());
    return hash;
}

// Some vectors have a word for a root whose value does not matter; its digest stands for it.
std::optional<Hash> root_of(const json::Value* value) {
    const std::string* text = value == nullptr ? nullptr : value->if_string();
    const auto bytes = from_base64(text == nullptr ? "" : *text);
    if (!bytes.ok() || bytes->empty()) {
        return std::nullopt;
    }
    return bytes->size() == sizeof(Hash) ? hash_of(value) : std::optional(sha256(*bytes));
}

// Nothing when a hash has another length than 32 bytes: such a proof is refused when it is read.
std::optional<Hashes> proof_of(const json::Value& vector) {
    Hashes proof;
    const json::Value* value = vector.find("proof");
    const json::Array* array = value == nullptr ? nullptr : value->if_array();
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
        const auto hash = hash_of(&(*array)[i]);
        if (!hash) {
            return std::nullopt;
        }
        proof.push_back(*hash);
    }
    return proof;
}

std::optional<std::uint64_t> number(const json::Value& vector, std::string_view name) {
    const json::Value* value = vector.find(name);
    const auto read = value == nullptr ? Result<std::uint64_t>(Error{ErrorCode::kNotFound, {}})
                                       : value->as_uint();
    return read.ok() ? std::optional(*read) : std::nullopt;
}

struct Tally {
    std::size_t accepted = 0;
    std::size_t refused = 0;
    std::size_t wrong = 0;
};

bool verify_inclusion_vector(const json::Value& vector, bool& checker) {
    const auto index = number(vector, "leafIdx");
    const auto size = number(vector, "treeSize");
    const auto root = root_of(vector.find("root"));
    const auto leaf = hash_of(vector.find("leafHash"));
    const auto proof = proof_of(vector);
    if (!index || !size || !root || !leaf || !proof) {
        checker = false;
        return false;
    }
    Hash made{};
    checker = verify::internal::root_of_proof(*leaf, *index, *size, *proof, made) && made == *root;
    return verify_inclusion(*leaf, *index, {*size, *root}, *proof);
}

bool verify_consistency_vector(const json::Value& vector) {
    const auto older = number(vector, "size1");
    const auto newer = number(vector, "size2");
    const auto root1 = root_of(vector.find("root1"));
    const auto root2 = root_of(vector.find("root2"));
    const auto proof = proof_of(vector);
    return older && newer && root1 && root2 && proof &&
           verify_consistency({*older, *root1}, {*newer, *root2}, *proof);
}

void run(const fs::path& path, bool inclusion, Tally& tally) {
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto vector = json::parse(text);
    const bool* wants_error = vector.ok() && vector->find("wantErr") != nullptr
                                  ? vector->find("wantErr")->if_bool()
                                  : nullptr;
    if (wants_error == nullptr) {
        std::printf("not a vector: %s\n", path.c_str());
        ++tally.wrong;
        return;
    }
    bool checker = false;
    const bool good =
        inclusion ? verify_inclusion_vector(*vector, checker) : verify_consistency_vector(*vector);
    if (good == *wants_error || (inclusion && checker != good)) {
        std::printf("wrong: %s: %s\n", path.c_str(), vector->string_or("desc", "").c_str());
        ++tally.wrong;
    }
    ++(good ? tally.accepted : tally.refused);
}

}  // namespace
}  // namespace colophon::ledger

int main(int argc, char** argv) {
    if (argc != 2) {
        (void)std::fputs("usage: merkle_vectors_bench FOLDER\n", stderr);
        return 64;
    }
    colophon::ledger::Tally all;
    for (const bool inclusion : {true, false}) {
        const std::filesystem::path folder =
            std::filesystem::path(argv[1]) / (inclusion ? "inclusion" : "consistency");
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (entry.is_regular_file()) {
                colophon::ledger::run(entry.path(), inclusion, all);
            }
        }
    }
    std::printf("%zu vectors: %zu accepted, %zu refused, %zu wrong\n", all.accepted + all.refused,
                all.accepted, all.refused, all.wrong);
    return all.wrong == 0 && all.accepted > 0 ? 0 : 1;
}

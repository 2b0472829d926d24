// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who works in the console: roles, sign-in with password and second factor, sessions.
//
// Everybody signs in with two factors. An account begins with a random password that must be
// changed, a secret for an authenticator and ten recovery codes, all shown once. There are no
// default accounts.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/random.h"
#include "identity/codes.h"
#include "identity/password.h"
#include "identity/recorder.h"
#include "identity/sealer.h"
#include "storage/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::identity {

// Bits; what each may do is decided where it is done.
enum class Role : std::uint32_t {
    kReviewer = 1U << 0U,   // works on the queue of held content
    kLead = 1U << 1U,       // approves entries of the feature library, hears appeals
    kOperator = 1U << 2U,   // models, policies, filings
    kAuditor = 1U << 3U,    // reads everything, changes nothing
    kInspector = 1U << 4U,  // an authority: reads what a written request covers
    kAdmin = 1U << 5U,      // accounts, tenants, keys
};
inline constexpr std::uint32_t kAllRoles = 0x3F;

bool has_role(std::uint32_t roles, Role role) noexcept;
// "reviewer,lead"; kInvalidArgument for a word that is none, for none at all, and for an inspector
// who is anything else besides: authorities look from outside.
Result<std::uint32_t> parse_roles(std::string_view text);
std::string format_roles(std::uint32_t roles);

struct StaffEntry {
    StaffId id;
    std::string name;
    std::uint32_t roles = 0;
    bool must_change = false;
    Time created;
    std::optional<Time> disabled;
};

// Shown once to whoever makes or resets an account.
struct StaffSecrets {
    StaffId id;
    std::string password;
    std::string totp_address;  // for a QR code
    std::string totp_secret;   // to be typed
    std::vector<std::string> recovery_codes;
};

struct SignIn {
    std::string name;
    std::string password;
    std::string second;   // six digits of the authenticator, or a recovery code
    std::string address;  // where the attempt comes from
};

struct StaffSession {
    StaffId staff;
    std::string name;
    std::uint32_t roles = 0;
    bool must_change = false;  // nothing is allowed but change_password()
};

struct StaffOptions {
    SessionLimits session;
};

// Threads: all methods may be called at once. What is given lives longer.
class Staff {
public:
    struct Parts {
        storage::Store& store;
        PasswordHasher& hasher;
        const Sealer& sealer;
        Clock& clock;
        Random& random;
        Recorder recorder = {};  // of what administrators change, not of sign-ins
    };
    Staff(const Parts& parts, Bytes throttle_key, const StaffOptions& options = {})
        : parts_(parts), throttle_key_(to_buffer(throttle_key)), options_(options) {}

    // Names: 3 to 64 of a-z, 0-9, '.', '-', '_'. kConflict when there is one of that name. Without
    // a password a random one is made, which must be changed; one that was given
    // (kInvalidArgument when it is too weak) need not be, and is not repeated in the secrets.
    Result<StaffSecrets> create(std::string_view name, std::uint32_t roles,
                                std::optional<std::string_view> password = std::nullopt);
    // New secrets; all sessions end. kNotFound when there is none.
    Result<StaffSecrets> reset(const StaffId& staff);
    Result<void> set_roles(const StaffId& staff, std::uint32_t roles);  // sessions end
    Result<void> set_disabled(const StaffId& staff, bool disabled);     // sessions end
    Result<std::vector<StaffEntry>> list();
    Result<StaffEntry> find(std::string_view name);

    // The token of a session. kDenied with one message whatever was wrong, after the same work;
    // kLimit when this address has to wait, for this account or for all. The factors are both used
    // up or both not.
    Result<std::string> sign_in(const SignIn& attempt);
    // kDenied when the session is not there, idle, over, or its owner disabled.
    Result<StaffSession> session(std::string_view token);
    Result<void> sign_out(std::string_view token);
    // Ends all sessions of the owner but this one. The old password is asked again.
    Result<void> change_password(std::string_view token, std::string_view old_password,
                                 std::string_view new_password);

private:
    Result<void> let_pass(const SignIn& attempt);
    Result<void> count_failure(const SignIn& attempt);
    Result<void> forget_failures(const SignIn& attempt);
    Result<std::optional<StaffId>> check_factors(const SignIn& attempt);
    Result<bool> use_second(storage::Transaction& transaction, const StaffId& staff,
                            std::string_view second);
    Result<std::string> open_session(storage::Transaction& transaction, const StaffId& staff);
    struct Fresh;
    Result<Fresh> fresh_secrets(const StaffId& id, std::string_view name,
                                std::optional<std::string_view> password);
    static Result<void> keep_fresh(storage::Transaction& transaction, const Fresh& fresh);
    Buffer throttle_id(std::string_view account, std::string_view address) const;

    Parts parts_;
    Buffer throttle_key_;
    StaffOptions options_;
};

}  // namespace colophon::identity

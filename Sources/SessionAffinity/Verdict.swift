/// The result of checking a request's session cookie: for the access log and the counters.
package enum Verdict: UInt8, Equatable, Sendable, CaseIterable {
    /// There was no cookie.
    case none
    case valid
    /// The MAC is wrong for a known key.
    case forged
    /// Valid, but older than `max_age`, or dated further in the future than clocks may differ.
    case expired
    /// Signed with a key that is not (or no longer) in the keyring.
    case unknownKey
    /// Valid, but signed for another group.
    case otherGroup
    /// Valid, but its process is gone; set by the data plane.
    case gone
    /// Not a token: wrong length, alphabet or version.
    case malformed

    /// The word of the access log.
    package var word: StaticString {
        switch self {
        case .none: "none"
        case .valid: "valid"
        case .forged: "forged"
        case .expired: "expired"
        case .unknownKey: "unknown_key"
        case .otherGroup: "other_group"
        case .gone: "gone"
        case .malformed: "malformed"
        }
    }
}

/// The result of verifying one cookie value.
package struct Verification: Equatable, Sendable {
    package var verdict: Verdict
    /// Set for `valid` and `expired`; a session with a live lease is honoured at any age.
    package var token: Token?

    package init(verdict: Verdict, token: Token? = nil) {
        self.verdict = verdict
        self.token = token
    }
}

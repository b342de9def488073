/// What came of a request's session cookie: for the access log and the counters.
package enum Verdict: UInt8, Equatable, Sendable, CaseIterable {
    /// There was none.
    case none
    case valid
    /// The MAC is not right under a key that we have.
    case forged
    /// Right, but older than `max_age`, or dated further ahead than clocks may differ.
    case expired
    /// Signed with a key that is not in the keyring (any more).
    case unknownKey
    /// Right, but made for another group.
    case otherGroup
    /// Right, but its process is gone; set by the data plane.
    case gone
    /// Not a token at all: length, alphabet or version.
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

/// What checking one cookie value found.
package struct Verification: Equatable, Sendable {
    package var verdict: Verdict
    /// Given for `valid` and `expired`; a session whose lease lives is honoured at any age.
    package var token: Token?

    package init(verdict: Verdict, token: Token? = nil) {
        self.verdict = verdict
        self.token = token
    }
}

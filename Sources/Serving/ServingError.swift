/// Why the balancer cannot be started or reached, in one sentence that says what to do about it.
package struct ServingError: Error, Equatable {
    /// What a caller can do about it; each has its own exit code.
    package enum Kind: Sendable {
        /// The system or a peer refused something.
        case failed
        /// The command line or the configuration cannot be meant.
        case invalid
        /// No balancer answers.
        case unreachable
    }

    package let kind: Kind
    package let message: String

    private init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    static func failed(_ message: String) -> ServingError { ServingError(.failed, message) }

    static func invalid(_ message: String) -> ServingError { ServingError(.invalid, message) }

    static func unreachable(_ message: String) -> ServingError {
        ServingError(.unreachable, message)
    }
}

/// Why the balancer cannot be started or reached, in one sentence with the remedy.
package struct ServingError: Error, Equatable {
    /// The category; each has its own exit code.
    package enum Kind: Sendable {
        /// The system or a peer refused something.
        case failed
        /// The command line or the configuration is invalid.
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

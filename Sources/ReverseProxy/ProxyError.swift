internal import Reactor

/// Why the data plane could not start, or could not apply a change.
package struct ProxyError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(doing what: String, because error: SystemError) {
        description = "cannot \(what): \(error)"
    }

    init(_ description: String) { self.description = description }
}

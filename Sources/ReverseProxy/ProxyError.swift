internal import Reactor

/// Why the data plane could not start, or could not apply a change.
package struct ProxyError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(doing what: String, because error: SystemError) {
        description = "cannot \(what): \(error)"
    }

    init(listeningOn text: String, because error: SystemError) {
        let remedy = SystemError.remedy(listening: error.errno).map { "; \($0)" } ?? ""
        self.init("cannot listen on \(text): \(error)\(remedy)")
    }

    init(_ description: String) { self.description = description }
}

/// Where a value of a configuration stands, for problems that show only when files and accounts are
/// looked up.
///
/// No part of what is configured: two values that differ in it alone are equal.
package struct SourcePlace: Sendable {
    /// As the user named it; nil for what came from the command line.
    var file: String?
    /// From 1.
    var line = 1

    /// The problem with the value that stands there.
    ///
    /// - Parameter key: as in `Problem`.
    package func problem(_ key: String, _ message: String) -> Problem {
        Problem(file: file, line: line, key: key, message: message)
    }
}

extension SourcePlace: Equatable {
    package static func == (_: SourcePlace, _: SourcePlace) -> Bool { true }
}

extension ProblemList {
    /// For what is found out later.
    func place(of node: ConfigNode) -> SourcePlace { SourcePlace(file: file, line: node.line) }
}

/// Where a value of a configuration stands, for problems that show only when files and accounts are
/// looked up.
///
/// No part of what is configured: two values that differ in it alone are equal.
package struct FileLocation: Sendable {
    /// As the user named it; nil for what came from the command line.
    var file: String?
    /// From 1.
    var line = 1
    /// As in `Problem`.
    var key = ""

    package init() {}

    init(file: String?, line: Int, key: String) {
        self.file = file
        self.line = line
        self.key = key
    }

    /// The problem with the value that stands there.
    ///
    /// - Parameter key: as in `Problem`.
    package func problem(_ key: String, _ message: String) -> Problem {
        Problem(file: file, line: line, key: key, message: message)
    }

    /// The same, under the key that stands there.
    package func problem(_ message: String) -> Problem { problem(key, message) }
}

/// The lines of all keys of a configuration; like a single place no part of what is configured.
package struct FileLocations: Sendable, Equatable {
    private var file: String?
    private var lines: [[String]: Int] = [:]

    init() {}

    init(_ node: ConfigNode, file: String?) {
        self.file = file
        add(node)
    }

    /// The problem with a key, at its line or else that of the table that it belongs to.
    package func problem(_ path: [String], _ message: String) -> Problem {
        var known = path[...]
        while !known.isEmpty, lines[Array(known)] == nil { known.removeLast() }
        return Problem(
            file: file, line: lines[Array(known)] ?? 1,
            key: path.map(TOMLText.key).joined(separator: "."), message: message)
    }

    private mutating func add(_ node: ConfigNode) {
        if lines[node.path] == nil { lines[node.path] = node.line }
        switch node.value {
        case .table(let entries): for entry in entries { add(entry.node) }
        case .list(let items): for item in items { add(item) }
        case .text, .integer, .fraction, .boolean, .date: break
        }
    }

    package static func == (_: FileLocations, _: FileLocations) -> Bool { true }
}

extension FileLocation: Equatable {
    package static func == (_: FileLocation, _: FileLocation) -> Bool { true }
}

extension ProblemList {
    /// For what is found out later.
    func location(of node: ConfigNode) -> FileLocation {
        FileLocation(file: file, line: node.line, key: node.key)
    }
}

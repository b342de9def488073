/// The position of a value in the file, for problems found only when files and accounts are looked
/// up.
///
/// Not part of equality: values that differ only in position are equal.
package struct FileLocation: Sendable {
    /// As the user named it; nil for values from the command line.
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

    /// A problem with the value at this position.
    ///
    /// - Parameter key: as in `Problem`.
    package func problem(_ key: String, _ message: String) -> Problem {
        Problem(file: file, line: line, key: key, message: message)
    }

    /// A problem under the key at this position.
    package func problem(_ message: String) -> Problem { problem(key, message) }
}

/// The lines of all keys of a configuration; not part of equality, like a single position.
package struct FileLocations: Sendable, Equatable {
    private var file: String?
    private var lines: [[String]: Int] = [:]

    init() {}

    init(_ node: ConfigNode, file: String?) {
        self.file = file
        add(node)
    }

    /// A problem with a key, at its line or else at that of the table that contains it.
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
    /// The node's position, for checks that run after reading.
    func location(of node: ConfigNode) -> FileLocation {
        FileLocation(file: file, line: node.line, key: node.key)
    }
}

/// One problem of a configuration, and how to fix it.
package struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
    /// As the user named it; nil for values from the command line.
    package var file: String?
    /// From 1.
    package var line: Int
    /// Dotted, from the top: `group.django.threads`; or an option as written on the command line.
    package var key: String
    /// What is wrong; what would be right.
    package var message: String
    /// Counted from 1; nil if the line is precise enough.
    package var column: Int?
    /// The known key that an unknown one probably means, dotted like `key`.
    package var meant: String?

    /// `FILE:LINE: KEY: what is wrong; what would be right`, without the position if there is no
    /// file, and with the column if it is known (`FILE:LINE:COLUMN: …`).
    package var description: String { text(of: "") }

    /// The same for a setting that is valid but probably a mistake.
    package var warning: String { text(of: "warning: ") }

    private func text(of kind: String) -> String {
        guard let file else { return "\(kind)\(key): \(message)" }
        let place = column.map { "\(line):\($0)" } ?? "\(line)"
        return "\(file):\(place): \(kind)\(key): \(message)"
    }
}

/// All problems of a configuration, in the order of lines; never empty.
package struct ConfigurationProblems: Error, Equatable, Sendable, CustomStringConvertible {
    package var problems: [Problem]

    /// Sorts by line, then by key.
    package init(_ problems: [Problem]) {
        self.problems = problems.sorted { left, right in
            (left.line, left.key) < (right.line, right.key)
        }
    }

    /// One problem per line.
    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// Collects problems while a configuration is read, so that all are reported together.
final class ProblemList {
    let file: String?
    private var problems: [Problem] = []

    init(file: String?) { self.file = file }

    var isEmpty: Bool { problems.isEmpty }

    func add(
        line: Int, column: Int? = nil, key: String, meant: String? = nil, _ wrong: String,
        _ right: String
    ) {
        problems.append(
            Problem(
                file: file, line: line, key: key, message: "\(wrong); \(right)", column: column,
                meant: meant))
    }

    func add(_ node: ConfigNode, _ wrong: String, _ right: String) {
        add(line: node.line, key: node.key, wrong, right)
    }

    /// Sorted by line, then by key.
    var sorted: ConfigurationProblems { ConfigurationProblems(problems) }
}

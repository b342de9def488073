/// One thing that is wrong with a configuration, and what would be right.
package struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
    /// As the user named it; nil for what came from the command line.
    package var file: String?
    /// From 1.
    package var line: Int
    /// Dotted, from the top: `group.django.threads`; an option of the command line as it is
    /// written.
    package var key: String
    /// What is wrong; what would be right.
    package var message: String
    /// From 1; nil where the line says enough.
    package var column: Int?
    /// The key that an unknown one seems to stand for, dotted like `key`.
    package var meant: String?

    /// `FILE:LINE: KEY: what is wrong; what would be right`, without the place where there is no
    /// file, and with the column where it is known (`FILE:LINE:COLUMN: …`).
    package var description: String { text(of: "") }

    /// The same for what is allowed, but hardly meant.
    package var warning: String { text(of: "warning: ") }

    private func text(of kind: String) -> String {
        guard let file else { return "\(kind)\(key): \(message)" }
        let place = column.map { "\(line):\($0)" } ?? "\(line)"
        return "\(file):\(place): \(kind)\(key): \(message)"
    }
}

/// Everything that is wrong with a configuration, in the order of lines; never empty.
package struct ConfigurationProblems: Error, Equatable, Sendable, CustomStringConvertible {
    package var problems: [Problem]

    /// In the order of lines, and of one line by key.
    package init(_ problems: [Problem]) {
        self.problems = problems.sorted { left, right in
            (left.line, left.key) < (right.line, right.key)
        }
    }

    /// One problem a line.
    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// Takes down problems while a configuration is read, so that all are told at once.
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

    /// All of them, by line and then by key.
    var sorted: ConfigurationProblems { ConfigurationProblems(problems) }
}

/// A run as the list of draws in each of its steps: a test case that stays valid when a seed's run
/// changes.
///
/// As text, a step is a line of `name=value`; a line that begins with `#` describes the case.
package struct Recording: Equatable, Sendable {
    struct Draw: Equatable, Sendable {
        var name: String
        var value: String
    }

    /// The first step creates the groups.
    var steps: [[Draw]] = []

    init() {}

    /// Parses a recording; ignores what is not a draw.
    package init(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            steps.append(
                line.split(separator: " ").compactMap { word in
                    let parts = word.split(separator: "=", maxSplits: 1)
                    guard parts.count == 2 else { return nil }
                    return Draw(name: String(parts[0]), value: String(parts[1]))
                })
        }
    }

    /// The recording as text.
    package var text: String {
        steps.map { step in
            step.map { "\($0.name)=\($0.value)" }.joined(separator: " ") + "\n"
        }.joined()
    }

    package var stepCount: Int { steps.count }

    /// The first step and as few others as still satisfy `breaks`.
    ///
    /// Found by leaving out ever smaller parts.
    package func shrunk(while breaks: (Recording) -> Bool) -> Recording {
        var smallest = self
        var length = max(1, steps.count / 2)
        while length >= 1 {
            var start = 1
            while start < smallest.steps.count {
                var candidate = smallest
                candidate.steps.removeSubrange(start..<min(start + length, candidate.steps.count))
                if breaks(candidate) {
                    smallest = candidate
                } else {
                    start += length
                }
            }
            length /= 2
        }
        return smallest
    }
}

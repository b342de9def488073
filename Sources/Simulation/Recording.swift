/// A run as the list of what happened in each of its steps: a case that stays when a seed's run changes.
///
/// As text a step is a line of `name=value`, and a line that begins with `#` says what the case is about.
package struct Recording: Equatable, Sendable {
    struct Draw: Equatable, Sendable {
        var name: String
        var value: String
    }

    /// The first one makes the groups.
    var steps: [[Draw]] = []

    init() {}

    /// Reads a recording; what is no draw is passed over.
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

    /// The first step and as few others as `breaks` still holds of.
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

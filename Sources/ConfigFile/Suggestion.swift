/// Finds the known name that a misspelt one means.
enum Suggestion {
    /// The nearest known name, if it is near enough.
    static func nearest(to name: String, among known: [String]) -> String? {
        let length = name.unicodeScalars.count
        guard (1...40).contains(length) else { return nil }
        let limit = max(1, min(3, length / 3))
        var best: (name: String, distance: Int)?
        for candidate in known {
            let distance = distance(name, candidate)
            if distance <= limit, distance < best?.distance ?? .max {
                best = (candidate, distance)
            }
        }
        return best?.name
    }

    /// The only known name that a shorter one, of at least three letters, abbreviates: `cmd` for
    /// `command`, `addr` for `address`.
    static func abbreviated(by name: String, among known: [String]) -> String? {
        let letters = Array(name.lowercased().unicodeScalars)
        guard letters.count >= 3 else { return nil }
        let candidates = known.filter { candidate in
            var rest = letters[...]
            for letter in candidate.unicodeScalars where letter == rest.first { rest.removeFirst() }
            return rest.isEmpty && candidate.unicodeScalars.first == letters.first
        }
        return candidates.count == 1 ? candidates[0] : nil
    }

    /// The longest known name, of at least three letters, that a longer one begins with:
    /// `environment` for `env`.
    static func extended(by name: String, among known: [String]) -> String? {
        known.filter { $0.count >= 3 && name.hasPrefix($0) }.max { $0.count < $1.count }
    }

    /// Insertions, deletions, substitutions and swaps of neighbours between the two (optimal string
    /// alignment); ignores case.
    static func distance(_ one: String, _ other: String) -> Int {
        let left = Array(one.lowercased().unicodeScalars)
        let right = Array(other.lowercased().unicodeScalars)
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let isSame = left[row] == right[column]
                var cost = min(
                    last[column] + (isSame ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1],
                    left[row - 1] == right[column]
                {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}

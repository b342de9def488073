/// Which script of a folder answers for a path, and what of the path is left for the script (RFC 3875 section
/// 4.1.5).
///
/// The split is at the first part of the path that is a script's file, so that nothing but a file that is
/// there is ever handed to an interpreter: of `/upload.jpg/a.php` that would be the picture.
package struct ScriptPath: Equatable, Sendable {
    /// What there is at a path.
    package enum FileKind: Sendable {
        case file, folder, none
    }

    /// What a path leads to.
    package enum Target: Equatable, Sendable {
        /// The script's name takes up so many bytes of the path, the name of the index behind them not counted.
        case script(length: Int, addsIndex: Bool)
        /// A folder with an index, asked for without the slash at its end.
        case folder
        case missing
    }

    private static let longest = 4096

    /// Decoded, with one slash for several, and one in front.
    package let path: [UInt8]

    /// Nil: it has a zero byte, which would end it for the system and not for us.
    ///
    /// - Parameter path: As it was sent, but without dot segments; a query may follow.
    package init?(_ path: Span<UInt8>) {
        var decoded: [UInt8] = [UInt8(ascii: "/")]
        decoded.reserveCapacity(path.count + 1)
        var index = 0
        while let (byte, end) = PathReader.decode(path, at: index) {
            index = end
            if byte == 0 { return nil }
            if byte == UInt8(ascii: "/"), decoded.last == byte { continue }
            decoded.append(byte)
        }
        self.path = decoded
    }

    /// Finds the script.
    ///
    /// - Parameters:
    ///   - index: The script of a folder; what ends like its name, from the last dot on, is a script.
    ///   - look: Says what there is at a path below the root, which begins with a slash.
    package func target(index: Span<UInt8>, look: (Span<UInt8>) -> FileKind) -> Target {
        // No file has a longer name (PATH_MAX, limits.h), and each look takes system calls.
        if hasDots || path.count > Self.longest { return .missing }
        let ending = Self.ending(of: index)
        var start = 1
        while start < path.count {
            let end = endOfSegment(from: start)
            if endsLikeScript(start..<end, ending, index) {
                switch look(path.span.extracting(0..<end)) {
                case .file: return .script(length: end, addsIndex: false)
                case .folder: break
                // Nothing is below what is not there.
                case .none: return .missing
                }
            }
            start = end + 1
        }
        if path.last == UInt8(ascii: "/") {
            return look(with(index).span) == .file
                ? .script(length: path.count, addsIndex: true) : .missing
        }
        guard look(path.span) == .folder else { return .missing }
        var folder = self.path
        folder.append(UInt8(ascii: "/"))
        for position in 0..<index.count { folder.append(index[position]) }
        return look(folder.span) == .file ? .folder : .missing
    }

    private func with(_ index: Span<UInt8>) -> [UInt8] {
        var name = path
        for position in 0..<index.count { name.append(index[position]) }
        return name
    }

    private func endOfSegment(from start: Int) -> Int {
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        return end
    }

    /// The last dot of a name, and what follows it.
    private static func ending(of name: Span<UInt8>) -> Range<Int> {
        var dot = name.count
        while dot > 0, name[dot - 1] != UInt8(ascii: ".") { dot -= 1 }
        return max(0, dot - 1)..<name.count
    }

    /// A name that is the ending alone is a hidden file.
    private func endsLikeScript(
        _ segment: Range<Int>, _ ending: Range<Int>, _ index: Span<UInt8>
    ) -> Bool {
        guard segment.count > ending.count else { return false }
        let start = segment.upperBound - ending.count
        for offset in 0..<ending.count
        where path[start + offset] != index[ending.lowerBound + offset] {
            return false
        }
        return true
    }

    /// Dot segments have been resolved or refused before; none may lead out of the root.
    private var hasDots: Bool {
        var start = 1
        while start < path.count {
            let end = endOfSegment(from: start)
            let isDots = path[start..<end].allSatisfy { $0 == UInt8(ascii: ".") }
            if isDots, (1...2).contains(end - start) { return true }
            start = end + 1
        }
        return false
    }
}

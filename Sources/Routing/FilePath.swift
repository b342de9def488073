/// The name of a file below a folder, for the path of a request.
package enum FilePath {
    /// What a path asks for.
    package enum Target: Equatable, Sendable {
        /// What has the name; the folder itself has an empty one.
        case file
        /// The path ends with a slash: the index of a folder.
        case index
        /// No file has this name, or none that is shown.
        case none
        /// The path has a zero byte, which would end it for the system and not for us.
        case zeroByte
    }

    /// The longest name (PATH_MAX, limits.h).
    private static let longest = 4095

    /// Decodes a path once, as it was sent, behind the part that the route takes off.
    ///
    /// An encoded slash is no slash of a path and no part of a name, so it leads to nothing; so do
    /// `..` and hidden names: those that begin with a dot, such as `.git`.
    ///
    /// - Parameters:
    ///   - path: without dot segments; a query may follow.
    ///   - length: how much of it the route takes off.
    ///   - name: receives the name, without a slash in front or at its end, and nothing behind it.
    package static func read(
        _ path: Span<UInt8>, after length: Int, into name: inout [UInt8]
    ) -> Target {
        name.removeAll(keepingCapacity: true)
        let start = min(length, path.count)
        var index = start
        var isAtStart = true
        while let (byte, end) = PathReader.decode(path, at: index) {
            let isEncoded = end - index > 1
            index = end
            switch byte {
            case 0: return .zeroByte
            case UInt8(ascii: "/"):
                if isEncoded { return .none }
                isAtStart = true
                continue
            case UInt8(ascii: "."): if isAtStart { return .none }
            default: break
            }
            if isAtStart, !name.isEmpty { name.append(UInt8(ascii: "/")) }
            isAtStart = false
            name.append(byte)
            if name.count > longest { return .none }
        }
        return isAtStart && index > start ? .index : .file
    }
}

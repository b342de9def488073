internal import Glibc
internal import Routing

/// What there is in the folders of scripts, for one loop.
///
/// Looking takes system calls, so what was found is remembered for a moment. Belongs to the loop's thread.
final class ScriptFiles {
    private struct Fact {
        let kind: ScriptPath.FileKind
        let until: Int64
    }

    /// How long a fact is taken for one; ns.
    private static let life: Int64 = 1_000_000_000
    /// Of more than these all are forgotten.
    private static let most = 1024

    private var facts: [[UInt8]: Fact] = [:]
    /// Where the roots are, with all links resolved.
    private var roots: [[UInt8]: (path: [UInt8], until: Int64)] = [:]

    /// What there is at a path below a root.
    ///
    /// - Parameter now: monotonic ns.
    func kind(of path: Span<UInt8>, in root: [UInt8], now: Int64) -> ScriptPath.FileKind {
        var name = root
        name.reserveCapacity(root.count + path.count)
        for index in 0..<path.count { name.append(path[index]) }
        if let fact = facts[name], fact.until > now { return fact.kind }
        let kind = look(name, in: root, now: now)
        if facts.count >= Self.most { facts.removeAll(keepingCapacity: true) }
        facts[name] = Fact(kind: kind, until: now + Self.life)
        return kind
    }

    /// A link may lead anywhere below the root, and nowhere else.
    private func look(_ name: [UInt8], in root: [UInt8], now: Int64) -> ScriptPath.FileKind {
        guard let home = resolvedRoot(root, now: now), let real = Self.resolved(name),
            real == home
                || real.starts(
                    with: home == [UInt8(ascii: "/")] ? home : home + [UInt8(ascii: "/")])
        else { return .none }
        var status = stat()
        let path = real.map { CChar(bitPattern: $0) } + [0]
        guard unsafe stat(path, &status) == 0 else { return .none }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .none
        }
    }

    private func resolvedRoot(_ root: [UInt8], now: Int64) -> [UInt8]? {
        if let known = roots[root], known.until > now { return known.path }
        guard let real = Self.resolved(root.isEmpty ? [UInt8(ascii: "/")] : root) else {
            return nil
        }
        roots[root] = (real, now + Self.life)
        return real
    }

    /// The path without links; nil: there is nothing, or it may not be looked at.
    private static func resolved(_ path: [UInt8]) -> [UInt8]? {
        let name = path.map { CChar(bitPattern: $0) } + [0]
        guard let real = unsafe realpath(name, nil) else { return nil }
        defer { unsafe free(real) }
        let length = unsafe strlen(real)
        return (0..<length).map { unsafe UInt8(bitPattern: real[$0]) }
    }
}

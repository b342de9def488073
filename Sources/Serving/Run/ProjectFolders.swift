internal import ConfigFile
internal import FoundationEssentials
internal import Glibc
internal import Reactor

/// The folders of `mooring run` for sockets, records and keys, one set per project.
///
/// A project is an application in a folder. Its processes survive the end of its balancer, and only
/// the next balancer of the same project may adopt them. Two balancers of one project use different
/// folders, too.
struct ProjectFolders: Equatable {
    let state: String
    let runtime: String

    /// The most concurrent balancers of one project.
    private static let most = 64
    static let folderName = "run"

    /// The first pair of folders of the project that no running balancer uses.
    ///
    /// - Parameter folder: the current one, absolute.
    /// - Throws: `ServingError` when there is no room for them.
    static func free(
        for application: RunRequest.Application, in folder: String, environment: [String: String]
    ) throws -> ProjectFolders {
        let name = prefix(of: folder) + digest(application).prefix(4)
        let runtimeRoot = try usable(runtimeRoots(environment), setting: "RUNTIME_DIRECTORY")
        let stateRoot = try usable(
            stateRoots(environment) + [runtimeRoot], setting: "STATE_DIRECTORY")
        removeOld(runtimeRoot: runtimeRoot, stateRoot: stateRoot)
        for number in 1...most {
            let whole = number == 1 ? name : "\(name)-\(number)"
            let runtime = "\(runtimeRoot)/\(folderName)/\(whole)"
            if isTaken(runtime) { continue }
            return ProjectFolders(state: "\(stateRoot)/\(folderName)/\(whole)", runtime: runtime)
        }
        throw ServingError.failed("\(most) balancers of this project run already; stop one")
    }

    /// The runtime folders of the running balancers for applications in a folder.
    static func running(in folder: String, environment: [String: String]) -> [String] {
        let prefix = prefix(of: folder)
        // Two variables may name the same root.
        return Set(runtimeRoots(environment)).sorted().flatMap { root in
            entries("\(root)/\(folderName)").filter { $0.hasPrefix(prefix) }.sorted()
                .map { "\(root)/\(folderName)/\($0)" }
        }.filter(isTaken)
    }

    /// The state folders that runs in a folder have used.
    static func states(of folder: String, _ environment: [String: String]) -> [String] {
        let prefix = prefix(of: folder)
        let roots = Set(runtimeRoots(environment) + stateRoots(environment))
        return roots.sorted().flatMap { root in
            entries("\(root)/\(folderName)").filter { $0.hasPrefix(prefix) }.sorted()
                .map { "\(root)/\(folderName)/\($0)" }
        }
    }

    /// `shop-3f9a12bc-`: a readable name that is unique per folder.
    private static func prefix(of folder: String) -> String {
        var hash = StableHash()
        hash.add(folder)
        let last = folder.split(separator: "/").last ?? "root"
        let readable = last.utf8.filter { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }.prefix(12)
        return "\(String(decoding: readable, as: UTF8.self))-\(hash.text.prefix(8))-"
    }

    private static func digest(_ application: RunRequest.Application) -> String {
        var hash = StableHash()
        switch application {
        case .python(let name):
            // The names that are searched when none is given.
            let ending = [":application", ":app"].first { name.hasSuffix($0) }
            hash.add(["python", String(name.dropLast(ending?.count ?? 0))])
        case .command(let words): hash.add(["command"] + words)
        }
        return hash.text
    }

    /// In order of preference; anyone can create names in the temporary folder, so the folder there
    /// contains the user's id and is not used if another user owns it.
    private static func runtimeRoots(_ environment: [String: String]) -> [String] {
        var roots = folder(environment["RUNTIME_DIRECTORY"]).map { [$0] } ?? []
        if geteuid() == 0 { roots.append("/run/mooring") }
        if let folder = folder(environment["XDG_RUNTIME_DIR"]) { roots.append("\(folder)/mooring") }
        roots += [folder(environment["TMPDIR"]), "/tmp"].compactMap(\.self).map {
            "\($0)/mooring-\(geteuid())"
        }
        return roots + stateRoots(environment)
    }

    private static func stateRoots(_ environment: [String: String]) -> [String] {
        var roots = folder(environment["STATE_DIRECTORY"]).map { [$0] } ?? []
        if geteuid() == 0 { roots.append("/var/lib/mooring") }
        if let folder = folder(environment["XDG_STATE_HOME"]) { roots.append("\(folder)/mooring") }
        if let home = folder(environment["HOME"]) { roots.append("\(home)/.local/state/mooring") }
        return roots
    }

    /// systemd's variables may hold a list, of which the first counts.
    private static func folder(_ value: String?) -> String? {
        guard let first = value?.split(separator: ":").first, first.hasPrefix("/") else {
            return nil
        }
        return first.count > 1 && first.hasSuffix("/") ? String(first.dropLast()) : String(first)
    }

    /// The first root in which a folder for projects can be created.
    private static func usable(_ roots: [String], setting: String) throws -> String {
        var reasons: [String] = []
        for root in roots {
            let folder = "\(root)/\(folderName)"
            // Names of projects and sockets follow.
            if folder.utf8.count > longestRoot {
                reasons.append("\(folder) is too long for the path of a socket")
                continue
            }
            do {
                try PrivateFiles.prepareFolder(folder, setting: "$\(setting)")
                return root
            } catch {
                reasons.append((error as? ServingError)?.message ?? "\(error)")
            }
        }
        throw ServingError.failed(
            "there is no folder for what is kept of this project: "
                + (reasons.isEmpty ? "set $\(setting)" : reasons.joined(separator: "; ")))
    }

    private static let longestRoot = 58

    /// Whether a balancer runs with this runtime folder: it locks the folder (`RuntimeLock`).
    private static func isTaken(_ runtime: String) -> Bool {
        let descriptor = unsafe open(runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    static func entries(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }
}

internal import AdminAPI
internal import ConfigFile
internal import Glibc
internal import Reactor
internal import Settings

/// Checks of files and folders that Mooring itself reads and writes.
extension Preflight {
    mutating func checkOwnFiles() {
        if case .file(let path) = configuration.log.access.destination,
            !isKnown(["log"], ["access"])
        {
            checkAppendable(path, ["log", "access"])
        }
        checkToken(configuration.admin.tokenFile, "token_file")
        checkToken(configuration.admin.readTokenFile, "read_token_file")
        for problem in PageFiles.problems(in: configuration) { report(problem) }
        for problem in FileFolders.problems(in: configuration) { report(problem) }
        if isKnown([], ["state_dir"]) { return }
        if !isKnown(["affinity"], ["keys"]) { checkKeys() }
        checkFolder(configuration.stateDirectory, "state_dir")
        if !isKnown([], ["runtime_dir"]) {
            checkFolder(configuration.runtimeDirectory, "runtime_dir")
        }
    }

    private mutating func checkToken(_ file: String?, _ key: String) {
        guard let file, !isKnown(["admin"], [key]) else { return }
        do {
            _ = try AdminToken.read(file: file, setting: key)
        } catch {
            report(["admin", key], "\(error)")
        }
    }

    /// Checks a file for appending, which is created if missing; its folder is not.
    mutating func checkAppendable(_ path: String, _ key: [String]) {
        if let fault = Self.faultOfAppendable(path) { report(key, fault) }
    }

    /// Why lines cannot be appended to a file.
    static func faultOfAppendable(_ path: String) -> String? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return faultOfParent(of: path) }
        if status.st_mode & S_IFMT == S_IFDIR { return "\(path) is a folder; name a file in it" }
        if unsafe access(path, W_OK) == 0 { return nil }
        return "\(path) cannot be written: \(SystemError.message(errno)); \(choice)"
    }

    private static let choice = "give Mooring the right to, or choose another place"

    mutating func checkParent(of path: String, _ key: [String]) {
        if let fault = Self.faultOfParent(of: path) { report(key, fault) }
    }

    /// Why an entry cannot be created in its folder.
    static func faultOfParent(of path: String) -> String? {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        let folder = parent.isEmpty ? "/" : parent
        var status = stat()
        guard unsafe stat(folder, &status) == 0 else {
            let code = errno
            let advice = code == ENOENT ? "run: mkdir -p \(folder)" : Self.choice
            return "\(SystemError.message(code)): the folder \(folder); \(advice)"
        }
        if status.st_mode & S_IFMT != S_IFDIR {
            return "\(folder) is no folder; choose another place"
        }
        if unsafe access(folder, W_OK | X_OK) == 0 { return nil }
        return "nothing can be made in \(folder): \(SystemError.message(errno)); \(choice)"
    }

    private mutating func checkKeys() {
        let path = configuration.keysFile
        if unsafe access(path, F_OK) != 0 {
            // The state directory is created at the start.
            if !path.hasPrefix("\(configuration.stateDirectory)/") {
                checkParent(of: path, ["affinity", "keys"])
            }
            return
        }
        do {
            _ = try KeyringFile.read(path)
        } catch {
            report(["affinity", "keys"], (error as? ServingError)?.message ?? "\(error)")
        }
    }

    /// Checks a folder of Mooring's own, which is created at the start.
    ///
    /// The user who checks may differ from the one who starts the balancer, so these are warnings.
    private mutating func checkFolder(_ path: String, _ key: String) {
        var status = stat()
        let isThere = unsafe stat(path, &status) == 0
        if isThere, status.st_mode & S_IFMT != S_IFDIR {
            return report([key], "\(path) is no folder; name one")
        }
        if let danger = GuardedPath.danger(path) {
            return warn([key], "\(path) is not safe: \(danger); choose another folder")
        }
        if isThere {
            if status.st_uid != geteuid() || status.st_mode & 0o022 != 0 {
                warn(
                    [key],
                    "\(path) belongs to another user or can be written by others; Mooring has to run"
                        + " as its owner, and it needs mode 700")
            }
            return
        }
        var parent = Substring(path)
        repeat {
            parent = parent[..<(parent.lastIndex(of: "/") ?? parent.startIndex)]
            if parent.isEmpty { parent = "/" }
        } while unsafe access(String(parent), F_OK) != 0
        if unsafe access(String(parent), W_OK | X_OK) != 0 {
            warn([key], "\(path) cannot be made in \(parent): \(SystemError.message(errno))")
        }
    }
}

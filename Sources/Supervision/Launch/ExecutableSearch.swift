internal import Glibc

/// Finds a program as execvp(3) would, but for the child's `PATH` and directory, and before the fork.
enum ExecutableSearch {
    /// - Returns: what to execute; relative to `directory` unless it begins with a slash.
    /// - Throws: ENOENT, or EACCES when files of the name were found that cannot be executed.
    static func resolve(
        _ name: String, path: String, directory: String
    ) throws(SpawnFailure) -> String {
        // A program with a slash is taken as it is; exec says what is wrong with it.
        if name.contains("/") { return name }
        var found = false
        for folder in path.split(separator: ":", omittingEmptySubsequences: false) {
            // An empty entry is the current directory.
            let candidate = folder.isEmpty ? "./\(name)" : "\(folder)/\(name)"
            let file = candidate.hasPrefix("/") ? candidate : "\(directory)/\(candidate)"
            var status = stat()
            guard unsafe stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            if unsafe access(file, X_OK) == 0 { return candidate }
            found = true
        }
        throw SpawnFailure(
            errno: found ? EACCES : ENOENT, subject: name, step: "exec, PATH is \(path)")
    }
}

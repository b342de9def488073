internal import Glibc
internal import Reactor

/// Checks whether the processes of a group could be started, without starting one.
///
/// Everything that depends on the group's user is tried as that user, in its directory and with its
/// limits, since access lists, capabilities and mounts make mode bits an unreliable prediction.
package enum LaunchCheck {
    /// A Python application for the host program.
    package struct Application: Sendable {
        /// A file with `application`, or `package.module:name`.
        var name: String
        /// `wsgi` or `asgi`.
        var interface: String
        /// `auto` or the name of a server, as in the configuration.
        var server: String

        package init(name: String, interface: String, server: String) {
            self.name = name
            self.interface = interface
            self.server = server
        }
    }

    /// For a short program; an interpreter on a slow disk takes a while.
    static let patience: Int64 = 20_000_000_000

    /// All faults.
    ///
    /// - Parameter application: nil: the command is the program itself.
    package static func faults(of spec: LaunchSpec, serving application: Application?)
        -> [LaunchFault]
    {
        var (faults, program) = files(of: spec)
        if spec.userOfSocket != nil, geteuid() != 0 {
            let user = spec.isolation.account?.name ?? ""
            faults.append(
                LaunchFault(
                    .user,
                    "only root can start processes as \(user); what depends on that user was not"
                        + " looked at", isWarning: true))
            return faults
        }
        guard let program, faults.isEmpty else { return faults + boundFaults(of: spec) }
        do throws(SpawnFailure) {
            if let application {
                faults += try self.faults(of: application, under: program, like: spec)
            } else if spec.isolation.account != nil || !spec.isolation.limits.isEmpty {
                faults += try self.fault(of: program, like: spec).map { [$0] } ?? []
            }
        } catch {
            faults.append(LaunchFault(error))
        }
        return faults
    }

    /// The missing files that a launch names; runs nothing.
    package static func faultsOfFiles(of spec: LaunchSpec, serving application: Application?)
        -> [LaunchFault]
    {
        var (faults, _) = files(of: spec)
        if !faults.contains(where: { $0.subject == .directory }), let name = application?.name,
            isMissingFile(name, in: spec.directory)
        {
            let file = configFile(of: name) ?? String(name.prefix { $0 != ":" })
            faults.append(
                LaunchFault(
                    .application,
                    "no such file: \(file) (in \(spec.directory)); a relative path begins in cwd"))
        }
        return faults
    }

    /// The faults of arguments, directory and program, and the program's file.
    private static func files(of spec: LaunchSpec) -> (faults: [LaunchFault], program: String?) {
        let size = sizeFault(of: spec)
        let directory = directoryFault(of: spec)
        let faults = [size, directory].compactMap(\.self)
        // Without a command it is unknown what the group runs, which is reported already.
        guard let name = spec.command.first, !name.isEmpty else { return (faults, nil) }
        // A program inside a missing directory is missing too.
        if directory != nil, name.contains("/"), !name.hasPrefix("/") { return (faults, nil) }
        switch program(of: spec) {
        case .success(let path): return (faults, path)
        case .failure(let fault): return (faults + [fault], nil)
        }
    }

    /// User and limits that are unavailable, if the program itself cannot be tried.
    private static func boundFaults(of spec: LaunchSpec) -> [LaunchFault] {
        if spec.isolation.account == nil, spec.isolation.limits.isEmpty { return [] }
        var spec = spec
        spec.directory = "/"
        spec.environment = [:]
        do throws(SpawnFailure) {
            _ = try TrialRun.run(["/bin/sh", "-c", ":"], like: spec, patience: patience)
            return []
        } catch {
            let fault = LaunchFault(error)
            switch fault.subject {
            case .user, .limit: return [fault]
            case .directory, .program, .application, .server, .environment: return []
            }
        }
    }

    /// Whether an application names a missing file; false for a module, which may be anywhere.
    private static func isMissingFile(_ name: String, in directory: String) -> Bool {
        let config = configFile(of: name)
        let file = config ?? String(name.prefix { $0 != ":" })
        guard config != nil || file.contains("/") || file.hasSuffix(".py") else { return false }
        return [file, config ?? name].allSatisfy { name in
            let path = name.hasPrefix("/") ? name : "\(directory)/\(name)"
            return unsafe access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)
        }
    }

    /// What all arguments and variables together may have (execve(2)): a quarter of the stack's limit.
    private static func sizeFault(of spec: LaunchSpec) -> LaunchFault? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0 else {
            return nil
        }
        let most = max(128 << 10, min(Int(clamping: limit.rlim_cur) / 4, 6 << 20))
        let pointer = MemoryLayout<Int>.size
        let variables = spec.environment.reduce(0) { sum, entry in
            sum + entry.key.utf8.count + entry.value.utf8.count + 2 + pointer
        }
        let bytes = spec.command.reduce(variables) { $0 + $1.utf8.count + 1 + pointer }
        if bytes <= most { return nil }
        return LaunchFault(
            .environment,
            "has \(bytes) bytes together with the arguments, and the system hands over \(most);"
                + " put what is long into files")
    }

    /// The file of an application of Paste Deploy, `config:production.ini#main`; nil: it is none.
    private static func configFile(of name: String) -> String? {
        let scheme = "config:"
        guard name.hasPrefix(scheme) else { return nil }
        return String(name.dropFirst(scheme.count).prefix { $0 != "#" })
    }

    private static func directoryFault(of spec: LaunchSpec) -> LaunchFault? {
        var status = stat()
        guard unsafe stat(spec.directory, &status) == 0 else {
            let code = errno
            if code == EACCES, spec.userOfSocket != nil { return nil }
            return LaunchFault(
                .directory,
                "\(SystemError.message(code)): \(spec.directory); make the folder, or name"
                    + " another")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return LaunchFault(.directory, "\(spec.directory) is no folder; name one")
        }
        return nil
    }

    /// The file of the program, absolute.
    private static func program(of spec: LaunchSpec) -> Result<String, LaunchFault> {
        let name = spec.command.first ?? ""
        let path = spec.environment["PATH"] ?? ""
        let found: String
        do throws(SpawnFailure) {
            found = try ExecutableSearch.resolve(name, path: path, directory: spec.directory)
        } catch {
            let isThere = error.errno != ENOENT
            let what =
                isThere ? "\(name) on the PATH cannot be executed" : "\(name) is not on the PATH"
            let isHere = unsafe access("\(spec.directory)/\(name)", F_OK) == 0
            let advice = isHere ? "write ./\(name) for the one in cwd" : Self.advice(name)
            return .failure(LaunchFault(.program, "\(what) \(path); \(advice)"))
        }
        let file = found.hasPrefix("/") ? found : "\(spec.directory)/\(found)"
        var status = stat()
        guard unsafe stat(file, &status) == 0 else {
            let code = errno
            return .failure(
                LaunchFault(.program, "\(SystemError.message(code)): \(file); \(advice(name))"))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return .failure(LaunchFault(.program, "\(file) is no program; name a file"))
        }
        guard unsafe access(file, X_OK) == 0 else {
            return .failure(
                LaunchFault(.program, "\(file) cannot be executed; run: chmod +x \(file)"))
        }
        if let fault = scriptFault(of: file) {
            return .failure(LaunchFault(.program, "\(file) \(fault)"))
        }
        return .success(file)
    }

    private static func advice(_ name: String) -> String {
        guard name.contains(" ") else { return "install it, or write its whole path" }
        let words = name.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", ")
        return "program and arguments are texts of their own: [\(words)]"
    }

    /// What keeps the kernel from executing a script (execve(2)); nil: nothing, or it is not a script.
    private static func scriptFault(of file: String) -> String? {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let bytes = ProcFile.bytes(of: descriptor, limit: 256) else { return nil }
        if bytes.isEmpty { return "is empty; name a program" }
        guard bytes.starts(with: Array("#!".utf8)) else {
            // A shell would take it for a script of its own, the kernel does not.
            return bytes.contains(0)
                ? nil : "is a text without a first line like #!/bin/sh; write one"
        }
        let line = String(decoding: bytes.dropFirst(2).prefix { $0 != 10 }, as: UTF8.self)
        guard let interpreter = line.split(whereSeparator: { " \t".contains($0) }).first else {
            return "begins with #! and no interpreter; write one like #!/bin/sh"
        }
        if interpreter.utf8.last == 13 {
            return "has the line ends of Windows, so #!\(interpreter.dropLast()) is not found; run:"
                + " sed -i 's/\\r$//' \(file)"
        }
        if !interpreter.hasPrefix("/") { return nil }
        if unsafe access(String(interpreter), F_OK) == 0 { return nil }
        return "begins with #!\(interpreter), which is not there; correct its first line"
    }

    /// Whether the group's user may execute the program.
    private static func fault(
        of program: String, like spec: LaunchSpec
    ) throws(SpawnFailure) -> LaunchFault? {
        let shell = ["/bin/sh", "-c", "[ -x \"$0\" ]", program]
        if unsafe access(shell[0], X_OK) != 0 { return nil }
        let outcome = try TrialRun.run(shell, like: spec, patience: patience)
        guard outcome.status == .exited(status: 1) else { return nil }
        let user = spec.isolation.account?.name ?? "the user"
        return LaunchFault(
            .program,
            "\(user) may not execute \(program); give that user the right to, or choose"
                + " another place")
    }
}

extension LaunchFault: Error {}

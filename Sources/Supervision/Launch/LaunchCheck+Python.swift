internal import Reactor

/// Checks that only Python itself can answer.
extension LaunchCheck {
    static func faults(
        of application: Application, under python: String, like spec: LaunchSpec
    ) throws(SpawnFailure) -> [LaunchFault] {
        let outcome = try TrialRun.run(
            [
                python, "-c", HostProgram.probe, application.name, application.server,
                application.interface,
            ], like: spec, patience: patience)
        var faults: [LaunchFault] = []
        var isDone = false
        for line in outcome.output {
            guard let tab = line.firstIndex(of: "\t") else { continue }
            let sentence = String(line[line.index(after: tab)...])
            switch line[..<tab] {
            case "application": faults.append(LaunchFault(.application, sentence))
            case "server": faults.append(LaunchFault(.server, sentence))
            case "python": faults.append(LaunchFault(.program, sentence))
            case "done": isDone = true
            default: break
            }
        }
        if faults.isEmpty, !isDone {
            let words = outcome.errors.last.map { ": \($0)" } ?? ""
            let what = "\(python) does not run Python (\(outcome.status.sentence))\(words)"
            let runsWithoutLimits = try doesRun(python, like: spec)
            faults.append(
                runsWithoutLimits
                    ? LaunchFault(.limit(nil), "\(what); it does without rlimits, so raise them")
                    : LaunchFault(
                        .program, "\(what); name the interpreter of the application's environment")
            )
        }
        return faults
    }

    /// Whether the interpreter starts without limits; false if the group has none.
    private static func doesRun(
        _ python: String, like spec: LaunchSpec
    ) throws(SpawnFailure) -> Bool {
        if spec.isolation.limits.isEmpty { return false }
        var spec = spec
        spec.isolation.limits = []
        let outcome = try TrialRun.run([python, "-c", ""], like: spec, patience: patience)
        return outcome.status == .exited(status: 0)
    }

    /// The interface of an application, `wsgi` or `asgi`, by its source, or where that does not tell it
    /// by loading it; nil: it cannot be loaded, which its start is to say.
    ///
    /// - Parameters:
    ///   - spec: how it is to be started, whatever its interface is.
    ///   - patience: how long it may take to be loaded, in nanoseconds.
    package static func interface(
        ofApplication name: String, like spec: LaunchSpec, patience: Int64
    ) -> String? {
        guard let python = spec.command.first else { return nil }
        let asked = [HostProgram.probe, name, "auto", "either"]
        for arguments in [asked, [HostProgram.detector, name]] {
            let outcome = try? TrialRun.run(
                [python, "-c"] + arguments, like: spec, patience: patience)
            let line = outcome?.output.last { $0.hasPrefix("interface\t") }
            if let line { return String(line.dropFirst("interface\t".count)) }
        }
        return nil
    }
}

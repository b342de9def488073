internal import AdminAPI
internal import Backends
package import ConfigFile
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import Reactor

/// From a validated configuration to a running balancer.
package enum Composition {
    /// Serves until a signal ends it; the caller has blocked the signals.
    ///
    /// - Parameters:
    ///   - file: read again by a reload; nil: the configuration came from the command line.
    ///   - developer: the developer who runs one application, and sees its output; nil: an
    ///     operator.
    ///   - takesOver: whether to replace the balancer that runs with the same runtime folder.
    /// - Throws: `ServingError`, whose message names what failed.
    package static func serve(
        _ configuration: Configuration, file: String? = nil, takesOver: Bool = false,
        developer: DeveloperRun? = nil
    ) throws -> Int32 {
        // A client that has gone must be an error of write(2), not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        let environment = ProcessInfo.processInfo.environment
        let tickets = TLSTicketKeys()
        var plan = try ServingPlan(configuration, environment: environment, tickets: tickets)
        if developer != nil { plan.announceServers() }
        let log: Logger
        do {
            log = try ProgramLog.start(
                developer == nil ? configuration.log.format : .developer, plan.logLevel)
        } catch {
            throw ServingError.failed("cannot start the log: \(error)")
        }
        // A developer's command line is deliberate: one group, run as the developer.
        let warnings = developer == nil ? configuration.warnings : []
        for warning in warnings + plan.files.warnings { log.warning("\(warning)") }
        do {
            try PrivateFiles.prepareFolder(configuration.stateDirectory, setting: "state_dir")
            let (keyring, isNew) = try KeyringFile.load(configuration.keysFile)
            if isNew {
                log.notice("made a new key for session cookies in \(configuration.keysFile)")
            }
            plan.descriptors = DescriptorPlan.make(for: configuration, log: log)
            let context = Balancer.Context(
                keyring: keyring,
                access: AdminAccess(try configuration.admin.keys()), file: file,
                environment: environment, tickets: tickets,
                manager: ServiceManager(environment: environment, process: getpid()), log: log,
                developer: developer)
            return try serve(plan, context, takesOver: takesOver)
        } catch let failure as ServingError {
            throw failure
        } catch {
            throw ServingError.failed("\(error)")
        }
    }

    private static func serve(
        _ plan: ServingPlan, _ context: Balancer.Context, takesOver: Bool
    ) throws -> Int32 {
        let predecessor =
            try takesOver
            ? Predecessor(runtimeFolder: plan.configuration.runtimeDirectory) : nil
        do {
            return try Balancer(plan, context, predecessor: predecessor).run()
        } catch {
            predecessor?.giveUp()
            throw error
        }
    }
}

package import ConfigFile

/// Whether a configuration would be taken, and would work on this machine; nothing is started.
package struct Examination {
    /// As it is understood; nil when it cannot be, and there are problems then.
    package let configuration: Configuration?
    /// What is wrong with the file and with what it names.
    package let problems: [Problem]
    /// What may be meant, or may be otherwise when the balancer starts.
    package let warnings: [Problem]

    /// Examines a file.
    ///
    /// - Throws: `ServingError` when it cannot be read.
    package init(file: String) throws {
        self.init(try ConfigurationLoading.examine(file))
    }

    /// What the reader found, together with what is wrong on the machine as far as the
    /// configuration is understood.
    init(_ reading: ConfigurationReader.Reading) {
        configuration = reading.configuration
        guard let configuration else {
            problems = reading.problems
            warnings = []
            return
        }
        let found = Preflight(
            configuration, environment: ConfigurationLoading.environment, known: reading.problems)
        problems = reading.problems + found.problems
        warnings = found.warnings
    }
}

package import ConfigFile

/// Checks whether a configuration is valid and would work on this machine; starts nothing.
package struct Examination {
    /// The configuration; nil when it could not be read, in which case there are problems.
    package let configuration: Configuration?
    /// Problems of the file and of what it refers to.
    package let problems: [Problem]
    /// Settings that may be intended, or may apply differently when the balancer starts.
    package let warnings: [Problem]

    /// Examines a file.
    ///
    /// - Throws: `ServingError` when it is unreadable.
    package init(file: String) throws {
        self.init(try ConfigurationLoading.examine(file))
    }

    /// The reader's problems, with those of the machine as far as the configuration could be read.
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

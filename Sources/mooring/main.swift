internal import Glibc
internal import Serving

// One line, so that nothing runs before the command line is parsed: `serve` and `run` must block
// their signals before any other thread exists. Not exit(3): its handlers would run beside threads
// that still work.
let exitCode = MooringCommand.runToExitCode()
ProgramLog.current?.finish()
_exit(exitCode)

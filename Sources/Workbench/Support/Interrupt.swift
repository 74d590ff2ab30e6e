// Ctrl-C as cancellation. SPDX-License-Identifier: Apache-2.0
import Core
import Dispatch
import Foundation

/// Turns the first SIGINT into a set cancellation flag and the second into an immediate end.
final class Interrupt {
    /// Set by Ctrl-C.
    let cancellation = Cancellation()
    private let source: any DispatchSourceSignal

    /// Installs the handler; it stays until the object goes.
    init() {
        signal(SIGINT, SIG_IGN)
        let cancellation = cancellation
        source = DispatchSource.makeSignalSource(
            signal: SIGINT, queue: DispatchQueue(label: "interrupt"))
        source.setEventHandler { @Sendable in
            if cancellation.isCancelled { exit(ExitStatus.interrupted) }
            cancellation.cancel()
        }
        source.resume()
    }

    deinit {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}

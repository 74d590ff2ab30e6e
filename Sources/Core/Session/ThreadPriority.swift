// Who goes first when more threads want to run than there are cores. SPDX-License-Identifier: Apache-2.0
import Foundation

/// The niceness of threads, which Linux keeps for each of them and not for the process.
///
/// A screen whose keys are answered by one thread while others compute on every core waits for
/// these, unless they are nicer.
public enum ThreadPriority {
    private static let kind = Int32(PRIO_PROCESS.rawValue)

    /// The niceness of threads that compute while somebody sits at the screen.
    public static let background: Int32 = 10

    /// The calling thread's niceness, −20 (goes first) to 19.
    public static var current: Int32 {
        // On Linux "process 0" is the calling thread.
        getpriority(kind, 0)
    }

    /// Makes the calling thread as nice as said; threads that it starts inherit that.
    ///
    /// It never fails in a way that matters: at worst the thread stays as it was.
    public static func lowerCurrent(to niceness: Int32 = background) {
        if current < niceness { _ = setpriority(kind, 0, niceness) }
    }

    /// Makes all threads of the process but the main one as nice as said: pools that stand already.
    public static func lowerAllButMain(to niceness: Int32 = background) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        for name in names {
            guard let thread = id_t(name), thread != id_t(getpid()),
                getpriority(kind, thread) < niceness
            else { continue }
            _ = setpriority(kind, thread, niceness)
        }
    }
}

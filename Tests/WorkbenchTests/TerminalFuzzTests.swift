// The fuzz test: short in every test run, as long as one likes by the environment.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// `make fuzz` sets the variables: the number of events, the first seed, and the program to run.
@Suite("Random sessions in a terminal", .serialized)
struct TerminalFuzzTests {
    @Test("Whatever is typed, clicked and resized: no stale cell, no cut picture, no mode left on")
    func fuzz() throws {
        let environment = ProcessInfo.processInfo.environment
        let wanted = environment["WORKBENCH_FUZZ_EVENTS"].flatMap { Int($0) }
        var seed = environment["WORKBENCH_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
        let length = wanted == nil ? 100 : TerminalFuzz.sessionEvents
        let fuzz = try TerminalFuzz(executable: environment["WORKBENCH_FUZZ_PROGRAM"])
        while fuzz.events < wanted ?? 200 {
            try fuzz.run(seed: seed, events: length)
            if wanted != nil {
                print(
                    "seed \(seed): \(fuzz.events) events, \(fuzz.looks) screens compared, "
                        + "\(fuzz.restless) not at rest")
            }
            seed += 1
        }
        #expect(fuzz.looks > fuzz.restless)
    }
}

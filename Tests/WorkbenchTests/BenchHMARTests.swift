// `workbench bench hmar` and `bench load`: refusals. SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("bench hmar")
struct BenchHMARTests {
    @Test(
        "refuses what it does not know, with what to give instead",
        arguments: [
            ("hmar --size d17", "d16"), ("hmar --resolution 300", "256, 512 or 1024"),
            ("hmar --resolution 256 --resolution 512", "--against"),
            ("hmar --against var --mode fast", "--mode"), ("hmar --runs 0", "1 to 1000"),
        ])
    func refusals(arguments: String, hint: String) throws {
        let outcome = try Program().shell("$WORKBENCH bench \(arguments)")
        #expect(outcome.status != 0)
        #expect(outcome.errors.contains(hint), "\(outcome.errors)")
    }
}

// The self-test's comparison of two devices, on two CPU devices.
// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Workbench

@Suite struct DeviceCheckTests {
    @Test func everyRowHoldsBetweenTwoCPUDevices() {
        for check in SelfCheck.device(CPUDevice(threads: 1)) {
            #expect(throws: Never.self, "\(check.name)") { try check.body() }
        }
    }
}

// One place for the exponential that the sampling rules use.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// e^x in single precision; 0 for −∞.
@inline(__always)
func exponential(_ x: Float) -> Float { exp(x) }

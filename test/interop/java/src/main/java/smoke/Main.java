package smoke;

import java.util.ArrayList;
import java.util.List;

/**
 * Runs the AWS SDK for Java against the server of the environment. Prints one line for each group of operations and ends
 * with status 1 when one failed. A new group is a method, and a line in the list of its class.
 */
public final class Main {
  private Main() {}

  /** A group of operations; its check fails by throwing. */
  record Group(String name, Check check) {}

  @FunctionalInterface
  interface Check {
    void run(Smoke smoke) throws Exception;
  }

  public static void main(String[] arguments) {
    List<Group> groups = new ArrayList<>(Management.GROUPS);
    groups.addAll(Cryptographic.GROUPS);
    groups.addAll(Custody.GROUPS);
    groups.addAll(Access.GROUPS);
    int failures = 0;
    Smoke smoke = new Smoke(Smoke.REGION);
    for (Group group : groups) {
      try {
        group.check().run(smoke);
        System.out.println("ok " + group.name());
      } catch (Exception | AssertionError error) {
        failures++;
        error.printStackTrace();
        System.out.println("FAILED " + group.name() + ": " + error.toString().replaceAll("\\s+", " "));
      }
    }
    System.exit(failures == 0 ? 0 : 1);
  }
}

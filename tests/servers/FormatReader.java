import java.sql.*;
import java.util.*;

/* FormatReader FORMAT [QUERY]: reads outputs of `broker params --format FORMAT` (jdbc, jdbc-mariadb), separated by NUL,
 * from stdin. Prints host, port, user, password and database as the driver parses them, or the first row of QUERY; a NUL
 * ends each. */
public class FormatReader {
    static List<String> read(String format, String url, String query) throws Exception {
        if (query != null) {
            try (Connection c = DriverManager.getConnection(url); ResultSet r = c.createStatement().executeQuery(query)) {
                r.next();
                return List.of(r.getString(1));
            }
        }
        if (format.equals("jdbc")) {
            var one = com.mysql.cj.conf.ConnectionUrl.getConnectionUrlInstance(url, new Properties()).getMainHost();
            return List.of(one.getHost(), "" + one.getPort(), one.getUser(), one.getPassword(), one.getDatabase());
        }
        var c = org.mariadb.jdbc.Configuration.parse(url);
        return List.of(c.addresses().get(0).host, "" + c.addresses().get(0).port, c.user(), c.password(), c.database());
    }

    public static void main(String[] words) throws Exception {
        for (String text : new String(System.in.readAllBytes(), "UTF-8").split("\0"))
            for (String value : read(words[0], text.replaceFirst("\n$", ""), words.length > 1 ? words[1] : null))
                System.out.write((value + "\0").getBytes("UTF-8"));
        System.out.flush();
    }
}
